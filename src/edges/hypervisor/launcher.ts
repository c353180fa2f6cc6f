import { RingwardError } from '../../errors.ts'
import { run } from '../command.ts'

const LAUNCH_LIMIT_MS = 5_000
const QUESTION_LIMIT_MS = 2_000
/** systemd sends SIGKILL at the end of its own patience; longer than that nothing will end the process. */
const RELEASE_LIMIT_MS = 5_000

export interface LaunchOptions {
  /** The machine's standard error; its last line says why it did not start. */
  readonly output: string
}

/** Starts a machine so that it outlives whoever started it. */
export interface Launcher {
  /** Not to be called off half-way, when nobody could tell what was started: whoever loses interest releases the name afterwards. */
  launch(name: string, program: string, args: readonly string[], options: LaunchOptions): Promise<void>
  /** False once a launched machine has ended; asked while its monitor does not answer yet. */
  isRunning(name: string): Promise<boolean>
  /** Ends whatever is left under this name; afterwards the name may be launched again. Idempotent. */
  release(name: string): Promise<void>
}

/** The service manager owns the machine: a transient unit of its own, outside the agent's. */
export class SystemdLauncher implements Launcher {
  async launch(name: string, program: string, args: readonly string[], { output }: LaunchOptions): Promise<void> {
    await launch(name, 'systemd-run', [
      '--quiet', '--collect', `--unit=${unitOf(name)}`, `--description=Virtual server ${name} of ringward`, '--service-type=exec',
      // At shutdown the Executer, which hands functions over, must end before the machines do: systemd stops in the reverse order.
      '--property=Before=ringward-executer.service',
      // What is left then has no state to save.
      '--property=KillMode=control-group', '--property=TimeoutStopSec=2', '--property=NoNewPrivileges=yes', `--property=StandardError=truncate:${output}`,
      '--', program, ...args,
    ])
  }

  async isRunning(name: string): Promise<boolean> {
    return (await run('systemctl', ['--quiet', 'is-active', `${unitOf(name)}.service`], { limit_ms: QUESTION_LIMIT_MS })).status === 0
  }

  async release(name: string): Promise<void> {
    // A unit that is already gone makes this fail, which is just as well.
    await run('systemctl', ['stop', `${unitOf(name)}.service`], { limit_ms: RELEASE_LIMIT_MS })
  }
}

/** For a place without a service manager: QEMU detaches itself and the first process of the system adopts it. */
export class DirectLauncher implements Launcher {
  async launch(name: string, program: string, args: readonly string[]): Promise<void> {
    await launch(name, program, [...args, '-daemonize'])
  }

  /** A machine that ended early made `launch` reject. */
  isRunning(): Promise<boolean> {
    return Promise.resolve(true)
  }

  release(): Promise<void> {
    return Promise.resolve()
  }
}

function unitOf(name: string): string {
  return `ringward-vm-${name}`
}

async function launch(name: string, program: string, args: readonly string[]): Promise<void> {
  const { status, stderr } = await run(program, args, { limit_ms: LAUNCH_LIMIT_MS })
  // Not the whole command line, as runOrFail would: it is a page long.
  if (status !== 0) throw new RingwardError('HYPERVISOR_FAILED', `${name} was not started, ${program} ended with ${status}: ${stderr.trim()}`)
}
