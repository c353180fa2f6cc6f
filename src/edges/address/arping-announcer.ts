import type { Clock } from '../clock.ts'
import type { Announcer } from './announcer.ts'
import { addressInUse } from './duplicate-check.ts'
import { startOwned, type OwnedChild } from './owned-child.ts'

/** keepalived's figures: five at once in its case, one a second in arping's; and again 5 s after. */
const BURST_PACKETS = 5
const REPEAT_AFTER_MS = 5_000
/** Both forms: some equipment only learns from one. The first of each leaves at once, so the loss of one packet costs nothing. */
const FORMS = ['-U', '-A']
/** Announcements under way at once: more than a host can run functions. Beyond, the oldest makes room, for it has been heard. */
const CONCURRENT_LIMIT = 16

/** One address being announced: at most one child for each form at any time. */
interface Announcement {
  readonly children: readonly OwnedChild[]
  stop(): void
  readonly ended: Promise<void>
}

/**
 * ARP by arping(8), IPv4. `arping` takes a second a packet, so nobody waits for it. Each packet has a process of its own, which cannot begin once the address
 * is gone: one process for all of them went on announcing a VIP that the host had lost meanwhile, a frozen host at its thaw.
 */
export class ArpingAnnouncer implements Announcer {
  private readonly clock: Clock
  private readonly onProblem: (text: string) => void
  private readonly underWay = new Map<string, Announcement>()
  private readonly ending = new Set<Promise<void>>()
  private stopped = false

  constructor(clock: Clock, onProblem: (text: string) => void) {
    this.clock = clock
    this.onProblem = onProblem
  }

  inUse(address: string, device: string, signal: AbortSignal): Promise<boolean> {
    return addressInUse(address, device, this.clock, signal)
  }

  /** Starts over when the same address is still being announced: its first packets are what matters. */
  announce(address: string, device: string): void {
    if (this.stopped) return
    const key = `${address} ${device}`
    this.underWay.get(key)?.stop()
    this.underWay.delete(key)
    const oldest = this.underWay.size >= CONCURRENT_LIMIT ? this.underWay.entries().next().value : undefined
    if (oldest) {
      oldest[1].stop()
      this.underWay.delete(oldest[0])
    }
    const announcement = this.begin(address, device)
    this.underWay.set(key, announcement)
    this.ending.add(announcement.ended)
    void announcement.ended.then(() => {
      this.ending.delete(announcement.ended)
      if (this.underWay.get(key) === announcement) this.underWay.delete(key)
    })
  }

  /** Number of arping processes that announce; bounded whatever is asked. */
  get active(): number {
    return [...this.underWay.values()].reduce((sum, announcement) => sum + announcement.children.length, 0)
  }

  async stop(): Promise<void> {
    this.stopped = true
    for (const announcement of this.underWay.values()) announcement.stop()
    await Promise.all(this.ending)
  }

  private begin(address: string, device: string): Announcement {
    const children: OwnedChild[] = []
    let stopped = false
    let wake = (): void => undefined
    const once = async (): Promise<boolean> => {
      children.push(...FORMS.map(form => startOwned('arping', [form, '-c', '1', '-I', device, address])))
      const ends = await Promise.all(children.map(child => child.ended))
      children.length = 0
      const failed = ends.find(end => end.status !== 0)
      if (failed && !stopped) this.onProblem(`${address} was not announced on ${device}: ${failed.words || `arping ended with ${failed.status ?? 'a signal'}`}`)
      return failed === undefined
    }
    const burst = async (): Promise<boolean> => {
      for (let packet = 0; packet < BURST_PACKETS; packet += 1) if (stopped || !await once()) return false
      return true
    }
    const both = async (): Promise<void> => {
      if (!await burst() || stopped) return
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, REPEAT_AFTER_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      await burst()
    }
    const stop = (): void => {
      stopped = true
      for (const child of children) child.kill()
      wake()
    }
    return { children, stop, ended: both() }
  }
}
