import { SystemClock } from '../clock.ts'
import { start } from '../command.ts'
import { LineReader } from '../lines.ts'
import { nameOf } from './libvirt-domain.ts'
import type { Virsh } from './virsh.ts'
import { readEnd } from './virsh-output.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** A child that lived that long was not wrong from the start: the next one may follow at once. */
const GOOD_LIFE_MS = 30_000
const LINE_LIMIT_CHARACTERS = 4_096

/**
 * One long-lived `virsh event` that tells when a machine ended by itself. It only says "look again": what runs is told by the list.
 * It ends with libvirtd's connection and is started again, later and later; its connection also keeps a libvirtd that ends when idle.
 */
export class LibvirtEvents {
  private readonly virsh: Virsh
  private readonly onEnd: (name: string) => void
  private readonly clock = new SystemClock()
  private child: ReturnType<typeof start> | undefined
  private ended: Promise<void> = Promise.resolve()
  private timer: NodeJS.Timeout | undefined
  private pause_ms = FIRST_PAUSE_MS
  private is_closed = false

  constructor(virsh: Virsh, onEnd: (name: string) => void) {
    this.virsh = virsh
    this.onEnd = onEnd
    this.listen()
  }

  async close(): Promise<void> {
    this.is_closed = true
    clearTimeout(this.timer)
    this.child?.kill('SIGKILL')
    await this.ended
  }

  private listen(): void {
    const began_ms = this.clock.boot_ms()
    const child = start('virsh', this.virsh.argumentsOf(['event', '--event', 'lifecycle', '--loop']), { stderr: 'ignore' })
    this.child = child
    const lines = new LineReader(LINE_LIMIT_CHARACTERS, line => this.read(line), () => child.kill('SIGKILL'))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => lines.feed(text))
    this.ended = new Promise<void>(resolve => {
      // Out of file handles, or virsh is missing: Node emits `error` and never `close`.
      child.once('error', () => resolve())
      child.once('close', () => resolve())
    })
    void this.ended.then(() => this.again(this.clock.boot_ms() - began_ms))
  }

  private again(lived_ms: number): void {
    if (this.is_closed) return
    this.pause_ms = lived_ms > GOOD_LIFE_MS ? FIRST_PAUSE_MS : Math.min(this.pause_ms * 2, LONGEST_PAUSE_MS)
    this.timer = setTimeout(() => this.listen(), this.pause_ms)
  }

  private read(line: string): void {
    const domain = readEnd(line)
    const name = domain === undefined ? undefined : nameOf(domain)
    if (name !== undefined) this.onEnd(name)
  }
}
