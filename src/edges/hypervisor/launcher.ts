import { reasonOf, RingwardError } from '../../errors.ts'
import { run, runOrFail } from '../command.ts'

const LAUNCH_LIMIT_MS = 5_000
/** systemd sends SIGKILL at the end of its own patience; longer than that nothing will end the process. */
const RELEASE_LIMIT_MS = 5_000

export interface LaunchOptions {
  /** The machine's standard error; its last line says why it did not start. */
  readonly output: string
  readonly signal: AbortSignal
}

/** Starts a machine so that it outlives whoever started it. */
export interface Launcher {
  launch(name: string, program: string, args: readonly string[], options: LaunchOptions): Promise<void>
  /** Ends whatever is left under this name; afterwards the name may be launched again. Idempotent. */
  release(name: string): Promise<void>
}

/** The service manager owns the machine: a transient unit of its own, outside the agent's. */
export class SystemdLauncher implements Launcher {
  async launch(name: string, program: string, args: readonly string[], { output, signal }: LaunchOptions): Promise<void> {
    try {
      await runOrFail('systemd-run', [
        '--quiet', '--collect', `--unit=${unitOf(name)}`, '--service-type=exec',
        // At shutdown the Executer has handed over before; what is left has no state to save.
        '--property=KillMode=control-group', '--property=TimeoutStopSec=2', `--property=StandardError=truncate:${output}`,
        '--', program, ...args,
      ], { limit_ms: LAUNCH_LIMIT_MS, signal })
    } catch (error) {
      throw new RingwardError('HYPERVISOR_FAILED', `${name} was not started: ${reasonOf(error)}`, { cause: error })
    }
  }

  async release(name: string): Promise<void> {
    // A unit that is already gone makes this fail, which is just as well.
    await run('systemctl', ['stop', `${unitOf(name)}.service`], { limit_ms: RELEASE_LIMIT_MS })
  }
}

/** For a place without a service manager: QEMU detaches itself and the first process of the system adopts it. */
export class DirectLauncher implements Launcher {
  async launch(name: string, program: string, args: readonly string[], { signal }: LaunchOptions): Promise<void> {
    try {
      await runOrFail(program, [...args, '-daemonize'], { limit_ms: LAUNCH_LIMIT_MS, signal })
    } catch (error) {
      throw new RingwardError('HYPERVISOR_FAILED', `${name} was not started: ${reasonOf(error)}`, { cause: error })
    }
  }

  release(): Promise<void> {
    return Promise.resolve()
  }
}

function unitOf(name: string): string {
  return `ringward-vm-${name}`
}
