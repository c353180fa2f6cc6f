import { RingwardError } from '../../errors.ts'
import { run, type CommandResult } from '../command.ts'

/** The system's own libvirtd: its machines outlive whoever started them. */
export const LIBVIRT_URI = 'qemu:///system'
const UNREACHABLE = /failed to connect to the hypervisor|failed to connect socket|disconnected from|client socket is closed|cannot recv data|end of file while reading data/i
const ABSENT = /failed to get domain|domain not found|no domain with matching/i
/** Of libvirt's words, as much as a log line bears; the last ones say the reason. */
const WORDS_CHARACTERS = 400

export interface VirshOptions {
  readonly limit_ms: number
  readonly signal?: AbortSignal
}

/** libvirt's own client by argument array, 13 ms a call. "libvirtd does not answer" is always HYPERVISOR_UNREACHABLE: unknown, never stopped. */
export class Virsh {
  readonly uri: string

  constructor(uri = LIBVIRT_URI) {
    this.uri = uri
  }

  /** Its standard output. Rejects with HYPERVISOR_UNREACHABLE, or with HYPERVISOR_FAILED and libvirt's words. */
  async ask(args: readonly string[], options: VirshOptions): Promise<string> {
    const { status, stdout, stderr } = await this.tell(args, options)
    if (status === 0) return stdout
    throw new RingwardError('HYPERVISOR_FAILED', `libvirt refused ${args.slice(0, 2).join(' ')}: ${wordsOf(stderr)}`)
  }

  /** Like `ask`; false when there is no such machine. */
  async askOf(args: readonly string[], options: VirshOptions): Promise<boolean> {
    const { status, stderr } = await this.tell(args, options)
    if (status === 0) return true
    if (ABSENT.test(stderr)) return false
    throw new RingwardError('HYPERVISOR_FAILED', `libvirt refused ${args.slice(0, 2).join(' ')}: ${wordsOf(stderr)}`)
  }

  /** A refusal is a result. Rejects with HYPERVISOR_UNREACHABLE or ABORTED. */
  async tell(args: readonly string[], options: VirshOptions): Promise<CommandResult> {
    const result = await run('virsh', this.argumentsOf(args), options).catch((error: unknown) => { throw unreachable(error) })
    if (result.status !== 0 && UNREACHABLE.test(result.stderr)) throw new RingwardError('HYPERVISOR_UNREACHABLE', `libvirtd cannot be reached: ${wordsOf(result.stderr)}; look with "systemctl status libvirtd"`)
    return result
  }

  argumentsOf(args: readonly string[]): string[] {
    return ['--quiet', '--connect', this.uri, ...args]
  }
}

function unreachable(error: unknown): unknown {
  if (!(error instanceof RingwardError) || error.code === 'ABORTED') return error
  if (error.code === 'COMMAND_MISSING') return new RingwardError('HYPERVISOR_UNREACHABLE', 'virsh is not installed; run "apt-get install libvirt-daemon-system libvirt-clients"', { cause: error })
  return new RingwardError('HYPERVISOR_UNREACHABLE', `libvirtd does not answer: ${error.message.slice(0, WORDS_CHARACTERS)}`, { cause: error })
}

export function wordsOf(stderr: string): string {
  return stderr.trim().replace(/\s*\n(error: )?/g, '; ').slice(-WORDS_CHARACTERS)
}
