import { RingwardError } from '../../errors.ts'
import { JsonLines } from './json-lines.ts'
import { within } from '../within.ts'

/** The monitor answers within a millisecond unless the host is overloaded; the guard's limits are of this order. */
export const QMP_LIMIT_MS = 2_000

/** QEMU's own names of the states ringward tells apart. */
export type QemuStatus = 'running' | 'paused' | 'inmigrate' | 'postmigrate' | 'prelaunch' | 'shutdown' | 'internal-error' | (string & {})

/** A conversation with QEMU's monitor (QMP over a Unix socket). One at a time a machine: keep it short. */
export class Qmp {
  private readonly lines: JsonLines

  private constructor(lines: JsonLines) {
    this.lines = lines
  }

  /** Greets the monitor at `path`; the conversation ends with the signal. Rejects with HYPERVISOR_UNREACHABLE. */
  static async connect(path: string, signal: AbortSignal): Promise<Qmp> {
    const lines = await JsonLines.connect(path, signal)
    lines.closeOn(signal)
    try {
      const greeting = await lines.next()
      if (!('QMP' in greeting)) throw new RingwardError('HYPERVISOR_UNREACHABLE', `${path}: this is no QEMU monitor`)
      const qmp = new Qmp(lines)
      await qmp.execute('qmp_capabilities')
      return qmp
    } catch (error) {
      lines.close()
      throw error
    }
  }

  /** Rejects with HYPERVISOR_FAILED and QEMU's own words when the command is refused; events are passed over. */
  async execute(command: string, values: Record<string, unknown> = {}): Promise<unknown> {
    this.lines.send({ execute: command, arguments: values })
    for (;;) {
      const answer = await this.lines.next()
      if ('return' in answer) return answer['return']
      if ('error' in answer) throw new RingwardError('HYPERVISOR_FAILED', `QEMU refused ${command}: ${wordsOf(answer['error'])}`)
    }
  }

  async status(): Promise<QemuStatus> {
    const answer = await this.execute('query-status')
    if (typeof answer === 'object' && answer !== null && 'status' in answer && typeof answer.status === 'string') return answer.status
    throw new RingwardError('HYPERVISOR_FAILED', 'QEMU did not say its status')
  }

  close(): void {
    this.lines.close()
  }
}

/** Runs `work` in one conversation that ends with it, within `limit_ms`. */
export function withQmp<T>(path: string, signal: AbortSignal, work: (qmp: Qmp) => Promise<T>, limit_ms = QMP_LIMIT_MS): Promise<T> {
  return within(limit_ms, [signal], async limited => {
    const qmp = await Qmp.connect(path, limited)
    try {
      return await work(qmp)
    } finally {
      qmp.close()
    }
  })
}

function wordsOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'desc' in error ? String(error.desc) : JSON.stringify(error)
}
