import { setTimeout as sleep } from 'node:timers/promises'
import { RingwardError } from '../../errors.ts'
import type { PowerOptions, PoweredServer, PowerState, PowerSwitch } from './power-switch.ts'
import { powerState } from './power-words.ts'

/** A controller in memory. `words` of a server take the place of its true state, as a broken controller's do. */
export class MemoryPowerSwitch implements PowerSwitch {
  readonly states = new Map<string, PowerState>()
  readonly words = new Map<string, string>()
  answer_ms = 0

  async status(server: PoweredServer, options: PowerOptions): Promise<PowerState> {
    await this.answer(server, options)
    return powerState(this.words.get(server.name) ?? `Chassis Power is ${this.stateOf(server)}`, `the power controller of ${server.name}`)
  }

  async on(server: PoweredServer, options: PowerOptions): Promise<PowerState> {
    return await this.turn(server, 'on', options)
  }

  async off(server: PoweredServer, options: PowerOptions): Promise<PowerState> {
    return await this.turn(server, 'off', options)
  }

  private async turn(server: PoweredServer, to: PowerState, options: PowerOptions): Promise<PowerState> {
    await this.answer(server, options)
    this.states.set(server.name, to)
    return await this.status(server, options)
  }

  private stateOf({ name }: PoweredServer): PowerState {
    return this.states.get(name) ?? 'on'
  }

  private async answer({ name, power }: PoweredServer, { signal }: PowerOptions): Promise<void> {
    if (!power.command) throw new RingwardError('CONFIGURATION_INVALID', `${name} has no power controller`)
    try {
      await sleep(this.answer_ms, undefined, { signal })
    } catch {
      throw new RingwardError('ABORTED', `the power controller of ${name} was not waited for`)
    }
  }
}
