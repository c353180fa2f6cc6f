/** Which events met which mode of a watch: what of the state machine the schedules have been through. */
import type { Event } from '../core/event.ts'
import type { Mode } from '../core/state.ts'
import type { SimulatedHost } from './simulated-host.ts'

export const MODES: readonly Mode[] = ['regular', 'network examination', 'service recovery', 'backup server', 'target recovery']

/** How often, by mode and event. */
export type ModeCounts = Partial<Record<Mode, Record<string, number>>>

/** Made once a kind, for a new text would be looked up letter by letter each time. */
const MESSAGE_NAMES = new Map<string | undefined, string>()

function messageName(kind: string | undefined): string {
  const known = MESSAGE_NAMES.get(kind)
  if (known !== undefined) return known
  const name = `message: ${kind}`
  MESSAGE_NAMES.set(kind, name)
  return name
}

export class ModeCoverage {
  readonly counts: ModeCounts = {}

  /** Called before the core takes the event up. */
  note({ core }: SimulatedHost, event: Event): void {
    const name = event.event === 'message' ? messageName((event.message as { readonly kind?: string }).kind) : event.event
    for (const { mode } of core!.watches.values()) {
      const events = this.counts[mode] ??= {}
      events[name] = (events[name] ?? 0) + 1
    }
  }

  add(other: ModeCounts): void {
    for (const mode of MODES) {
      for (const [name, count] of Object.entries(other[mode] ?? {})) {
        const events = this.counts[mode] ??= {}
        events[name] = (events[name] ?? 0) + count
      }
    }
  }

  /** Events that met some mode and never this one. */
  missing(): { readonly mode: Mode; readonly event: string }[] {
    const events = [...new Set(MODES.flatMap(mode => Object.keys(this.counts[mode] ?? {})))].sort()
    return MODES.flatMap(mode => events.filter(event => !this.counts[mode]?.[event]).map(event => ({ mode, event })))
  }

  get met(): number {
    return MODES.reduce((sum, mode) => sum + Object.keys(this.counts[mode] ?? {}).length, 0)
  }
}
