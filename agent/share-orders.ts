import { randomUUID } from 'node:crypto'
import type { Command } from '../src/core/command.ts'
import type { Event } from '../src/core/event.ts'
import type { Profile } from '../src/core/profile.ts'
import type { Clock } from '../src/edges/clock.ts'
import { encodePill, pillPath } from '../src/edges/share/pills.ts'
import type { Share } from '../src/edges/share/share.ts'
import { reasonOf } from '../src/errors.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

/** The core's orders to the shared area. Each ends in time; a late claim is "unknown", never "lost". */
export class ShareOrders {
  private readonly share: Share
  private readonly clock: Clock
  private readonly post: (event: Event) => void
  private readonly bar: (name: string, epoch: number) => Promise<void>
  /** A read slower than that is worth nothing to the lease rules (two renewals: R3). */
  private readonly read_limit_ms: number
  private readonly write_limit_ms: number
  private writes = 0

  constructor(share: Share, clock: Clock, profile: Profile, bar: (name: string, epoch: number) => Promise<void>, post: (event: Event) => void) {
    this.share = share
    this.bar = bar
    this.clock = clock
    this.post = post
    this.read_limit_ms = 2 * profile.renew_ms
    this.write_limit_ms = profile.stop_ms
  }

  /** Claims and releases that are still under way. */
  get writing(): number {
    return this.writes
  }

  async observe(): Promise<void> {
    const started_ms = this.clock.boot_ms()
    try {
      const observation = await this.share.observe({ deadline_ms: this.read_limit_ms })
      const { free_kb } = this.share
      this.post({ event: 'observed', started_ms, observation, ...free_kb === undefined ? {} : { free_kb } })
    } catch (error) {
      this.post({ event: 'observe-failed', reason: reasonOf(error) })
    }
  }

  async claim({ order }: Of<'claim'>): Promise<void> {
    const about = { event: 'claimed', function: order.function, epoch: order.epoch } as const
    this.writes += 1
    try {
      // What this host hands over is never served here again: the claim may be applied late, when this agent and its memory are gone.
      if (order.proof === 'hand-over') await this.bar(order.function, order.epoch - 1)
      const record = { schema: 'ringward.claim/1', nonce: randomUUID(), ...order } as const
      const result = await this.share.claim(record, { deadline_ms: this.write_limit_ms })
      this.post({ ...about, outcome: result.outcome, standing: result.outcome === 'won' ? record : result.standing, detail: '' })
    } catch (error) {
      this.post({ ...about, outcome: 'unknown', detail: reasonOf(error) })
    } finally {
      this.writes -= 1
    }
  }

  /** A hint: one that is written late asks of a renewal that is long past. */
  async pill({ order }: Of<'pill'>): Promise<void> {
    const { host: target } = order
    try {
      await this.share.writeView(pillPath(target), encodePill({ schema: 'ringward.pill/1', ...order }), { deadline_ms: this.write_limit_ms })
      this.post({ event: 'asked', target, ok: true, detail: '' })
    } catch (error) {
      this.post({ event: 'asked', target, ok: false, detail: reasonOf(error) })
    }
  }

  /** What this host gives up itself is barred at its guard first: a record on its way may be applied at any time. */
  async release({ order }: Of<'release'>): Promise<void> {
    const about = { event: 'released', function: order.function, epoch: order.epoch } as const
    this.writes += 1
    try {
      if (order.how === 'goodbye' || order.how === 'not-started') await this.bar(order.function, order.epoch)
      await this.share.release({ schema: 'ringward.release/1', ...order }, { deadline_ms: this.write_limit_ms })
      this.post({ ...about, ok: true, detail: '' })
    } catch (error) {
      this.post({ ...about, ok: false, detail: reasonOf(error) })
    } finally {
      this.writes -= 1
    }
  }
}
