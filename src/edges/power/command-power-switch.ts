import { setTimeout as sleep } from 'node:timers/promises'
import { RingwardError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { runOrFail } from '../command.ts'
import type { PowerOptions, PoweredServer, PowerState, PowerSwitch } from './power-switch.ts'
import { powerState } from './power-words.ts'

/** A BMC answers over the network in 0.3–1 s; one that takes longer is no help against a lease that runs out in three. */
const COMMAND_LIMIT_MS = 3_000
/** A power supply falls within a second or two; a BMC may first ask the system to end. */
const OFF_LIMIT_MS = 10_000
const OFF_LOOK_MS = 250

/** Asks and switches by the program of the management data, e.g. ipmitool: `status`, `on` or `off` is its last argument. */
export class CommandPowerSwitch implements PowerSwitch {
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  async status(server: PoweredServer, options: PowerOptions): Promise<PowerState> {
    return powerState(await tell(server, 'status', options), `the power controller of ${server.name}`)
  }

  async on(server: PoweredServer, options: PowerOptions): Promise<PowerState> {
    await tell(server, 'on', options)
    return await this.status(server, options)
  }

  async off(server: PoweredServer, options: PowerOptions): Promise<PowerState> {
    await tell(server, 'off', options)
    // An exit code proves nothing: the state decides.
    const until_ms = this.clock.boot_ms() + OFF_LIMIT_MS
    while (await this.status(server, options) !== 'off') {
      if (this.clock.boot_ms() >= until_ms) throw new RingwardError('COMMAND_TIMEOUT', `${server.name} still has power ${OFF_LIMIT_MS} ms after its controller was told "off"; look at the controller`)
      await pause(server, options)
    }
    return 'off'
  }
}

async function pause(server: PoweredServer, { signal }: PowerOptions): Promise<void> {
  try {
    await sleep(OFF_LOOK_MS, undefined, { signal })
  } catch {
    throw new RingwardError('ABORTED', `waiting for ${server.name} to lose its power was called off`)
  }
}

async function tell({ name, power }: PoweredServer, verb: 'status' | 'on' | 'off', { signal }: PowerOptions): Promise<string> {
  const [program, ...args] = power.command ?? []
  if (program === undefined) throw new RingwardError('CONFIGURATION_INVALID', `${name} has no power.command and no power.ipmi; nobody can ask for its power`)
  return await runOrFail(program, [...args, verb], { limit_ms: COMMAND_LIMIT_MS, signal })
}
