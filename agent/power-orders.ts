import type { Command } from '../src/core/command.ts'
import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { PowerSwitch } from '../src/edges/power/power-switch.ts'
import { within } from '../src/edges/within.ts'
import { reasonOf } from '../src/errors.ts'

export interface PowerParts {
  readonly power: PowerSwitch
  readonly serverOf: (name: string) => Server
  readonly signal: AbortSignal
  readonly post: (event: Event) => void
}

/** A question has three seconds at its edge; an order asks for the state afterwards, `off` until it is true. */
const LIMIT_MS = { status: 4_000, on: 8_000, off: 15_000 } as const

/** The core's orders to power controllers. Whatever fails is "unknown", never "off". */
export class PowerOrders {
  private readonly parts: PowerParts

  constructor(parts: PowerParts) {
    this.parts = parts
  }

  async order({ target, verb, request }: Extract<Command, { command: 'power' }>): Promise<void> {
    const { power, serverOf, signal, post } = this.parts
    try {
      const state = await within(LIMIT_MS[verb], [signal], limited => power[verb](serverOf(target), { signal: limited }))
      post({ event: 'power', target, verb, request, state, detail: '' })
    } catch (error) {
      if (!signal.aborted) post({ event: 'power', target, verb, request, state: 'unknown', detail: reasonOf(error) })
    }
  }
}
