import { watchArp, type ArpAnswer } from './arp-watch.ts'
import type { Violation } from './audit.ts'
import { lookAtHost, nameOfMac, type HostSeen } from './evidence.ts'
import type { Lab } from './lab.ts'
import { addressesOf } from './status.ts'

/** Processes appear and go more slowly than addresses; finding them costs more than reading an address. */
const FIND_EVERY_MS = 250
/** Two answers to one question lie this close together. */
const SAME_QUESTION_MS = 25

/** Answers are read later than they came, on a busy machine much later: enough samples to find those around each. */
const SAMPLES_KEPT = 100

/** Read from `at_ms` on, complete at `ended_ms`. */
interface Sample { readonly at_ms: number; readonly ended_ms: number; readonly holders: ReadonlyMap<string, readonly string[]> }

/**
 * Watches every VIP all the time. Certain findings only, so that a clean handover is never accused:
 * - two hosts have it on an interface in one sample, and the first still has it when the sample is over;
 * - somebody else answers for it while a host has it in the samples before and after the answer;
 * - two answer the same question, or take turns in answering.
 */
export class VipWatch {
  readonly seen = { samples: 0, answers: 0, longest_gap_ms: 0 }
  private readonly lab: Lab
  private readonly every_ms: number
  private readonly found = new Map<string, { violation: Violation; first_ms: number; last_ms: number }>()
  private hosts: HostSeen[] = []
  /** Whose card each is, also of a host that lost its power since: its last answer is judged later. */
  private readonly cards = new Map<string, string>()
  private samples: Sample[] = []
  private unjudged: ArpAnswer[] = []
  private readonly history = new Map<string, ArpAnswer[]>()
  private found_at_ms = 0
  private timer: NodeJS.Timeout | undefined
  private asking: { stop: () => Promise<void> } | undefined

  constructor(lab: Lab, every_ms: number) {
    this.lab = lab
    this.every_ms = every_ms
  }

  async start(): Promise<void> {
    this.asking = await watchArp(this.lab, this.lab.hosts.map(host => host.vip), this.every_ms, answer => {
      this.seen.answers += 1
      this.unjudged.push(answer)
    })
    this.timer = setInterval(() => this.sample(), this.every_ms)
  }

  async stop(): Promise<Violation[]> {
    clearInterval(this.timer)
    await this.asking?.stop()
    if (this.seen.samples > 0) this.sample()
    return [...this.found.values()].map(({ violation, first_ms, last_ms }) => ({
      ...violation, at: new Date(performance.timeOrigin + first_ms).toISOString(), for_ms: Math.round(last_ms - first_ms),
    }))
  }

  private sample(): void {
    const now = performance.now()
    if (now - this.found_at_ms > FIND_EVERY_MS) {
      this.hosts = this.lab.hosts.map(host => lookAtHost(this.lab, host.name))
      for (const { card, name } of this.hosts) if (card !== null) this.cards.set(card, name)
      this.found_at_ms = now
    }
    const sample = this.read(performance.now())
    const former = this.samples.at(-1)
    if (former) this.seen.longest_gap_ms = Math.max(this.seen.longest_gap_ms, Math.round(sample.at_ms - former.at_ms))
    this.seen.samples += 1
    this.samples = [...this.samples, sample].slice(-SAMPLES_KEPT)
    const answers = this.unjudged
    this.unjudged = answers.filter(answer => answer.at_ms > sample.at_ms)
    for (const answer of answers) if (answer.at_ms <= sample.at_ms) this.judgeAnswer(answer)
  }

  private read(at_ms: number): Sample {
    const holders = new Map<string, string[]>()
    for (const host of this.hosts) {
      if (host.leader === null) continue
      for (const address of addressesOf(host.leader)) holders.set(address, [...holders.get(address) ?? [], host.name])
    }
    for (const { name, vip } of this.lab.hosts) {
      const all = holders.get(vip) ?? []
      if (all.length > 1 && all.every(holder => this.stillHolds(holder, vip))) this.note(name, at_ms, `VIP ${vip} was on ${all.join(' and ')} at once`)
    }
    return { at_ms, ended_ms: performance.now(), holders }
  }

  private stillHolds(host: string, vip: string): boolean {
    const leader = this.hosts.find(each => each.name === host)?.leader ?? null
    return leader !== null && addressesOf(leader).includes(vip)
  }

  private judgeAnswer(answer: ArpAnswer): void {
    const host = this.lab.hosts.find(each => each.vip === answer.address)
    if (!host) return
    const who = this.nameOf(answer.mac)
    const before = this.samples.findLast(sample => sample.ended_ms <= answer.at_ms)
    const after = this.samples.find(sample => sample.at_ms >= answer.at_ms)
    for (const holder of before?.holders.get(host.vip) ?? []) {
      const held = after?.holders.get(host.vip)?.includes(holder) === true
      if (holder !== who && held) this.note(host.name, answer.at_ms, `VIP ${host.vip} was on ${holder} while ${who} answered for it`)
    }
    const history = this.history.get(host.vip) ?? []
    const other = history.at(-1)
    const earlier = history.at(-2)
    if (other && this.nameOf(other.mac) !== who) {
      const text = `${[this.nameOf(other.mac), who].sort().join(' and ')} both answered for VIP ${host.vip}`
      const turns = earlier?.mac === answer.mac && answer.at_ms - earlier.at_ms < 3 * this.every_ms
      if (turns || answer.at_ms - other.at_ms < Math.min(SAME_QUESTION_MS, this.every_ms / 2)) this.note(host.name, answer.at_ms, text)
    }
    this.history.set(host.vip, [...history, answer].slice(-2))
  }

  private nameOf(mac: string): string {
    return this.cards.get(mac) ?? nameOfMac(this.lab, this.hosts, mac)
  }

  private note(subject: string, at_ms: number, text: string): void {
    const known = this.found.get(text)
    if (known) known.last_ms = at_ms
    else this.found.set(text, { violation: { rule: 'S1', subject, text }, first_ms: at_ms, last_ms: at_ms })
  }
}
