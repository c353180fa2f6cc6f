/** One line for each change of a simulated ring: who gives what, who watches whom in which mode, faults, power. */
import { logLine } from './log-line.ts'
import type { World } from './world.ts'

export class ChangeLog {
  private readonly world: World
  private readonly tell: (line: string) => void
  private readonly givers = new Map<string, string>()
  private readonly modes = new Map<string, string>()

  constructor(world: World, tell: (line: string) => void) {
    this.world = world
    this.tell = tell
    world.onChange = () => this.lookAtGivers()
    world.onStepped = host => this.lookAtModes(host.name)
  }

  /** A reason, a fault, or anything else that is said. */
  say(host: string, text: string): void {
    this.tell(logLine(this.world.queue.now_ms, host, text))
  }

  private lookAtGivers(): void {
    for (const name of this.world.names) {
      const givers = this.world.givers(name).map(giver => giver === name ? 'itself' : giver).join(' and ') || 'nobody'
      if ((this.givers.get(name) ?? 'nobody') !== givers) this.say(name, `is given by ${givers}`)
      this.givers.set(name, givers)
    }
  }

  private lookAtModes(host: string): void {
    for (const { target, priority, mode } of this.world.host(host).core?.watches.values() ?? []) {
      const key = `${host} ${target}`
      const now = `P${priority}, ${mode}`
      if (this.modes.get(key) !== now) this.say(host, `watches ${target}: ${now}`)
      this.modes.set(key, now)
    }
  }
}
