import type { Event } from '../src/core/event.ts'
import type { StallMeter } from '../src/edges/stall-meter.ts'
import type { PingWatch, Prober } from '../src/edges/probes/prober.ts'

export interface HealthParts {
  readonly stalls: Pick<StallMeter, 'take' | 'stop'>
  readonly prober: Pick<Prober, 'watch'>
  /** This host's own: its kernel answers at once, so a lost ping is a starved one. */
  readonly address: string
  readonly ping_interval_ms: number
  /** Wall clock minus boot clock. */
  readonly wall_offset_ms: () => number
  /** Lines of the log that this host's disk has not taken. */
  readonly unwritten: () => number
  readonly post: (event: Event) => void
}

/** As long as the shortest limit of any probe: after a longer stall this timer is due, and runs before what waited in the sockets is judged. */
const LOOK_MS = 250
/** Without anything bad the core hears of it once a second. */
const LOOKS_A_REPORT = 4

/** Tells the core how this host itself fares (protocol 5): what it misses while it is slow, it must not blame on others. */
export class HealthMeter {
  private readonly parts: HealthParts
  private readonly timer: NodeJS.Timeout
  private readonly ping: PingWatch
  private missed = 0
  private stalled_ms = 0
  private looks = 0

  constructor(parts: HealthParts) {
    this.parts = parts
    this.ping = parts.prober.watch(parts.address, parts.ping_interval_ms, { onAnswer: () => undefined, onMiss: () => { this.missed += 1 } })
    this.timer = setInterval(() => this.look(), LOOK_MS)
  }

  private look(): void {
    this.stalled_ms = Math.max(this.stalled_ms, this.parts.stalls.take())
    this.looks += 1
    const bad = this.stalled_ms >= LOOK_MS || this.missed > 0
    if (!bad && this.looks < LOOKS_A_REPORT) return
    const unwritten = this.parts.unwritten()
    this.parts.post({ event: 'health', stalled_ms: this.stalled_ms, own_probes_missed: this.missed, wall_offset_ms: this.parts.wall_offset_ms(), ...unwritten === 0 ? {} : { unwritten } })
    this.looks = this.missed = this.stalled_ms = 0
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    this.parts.stalls.stop()
    await this.ping.stop()
  }
}
