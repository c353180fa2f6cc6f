/** The same story in the simulator: the real core, everything around it simulated in virtual time. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Incident, StatusDocument } from '../../src/control/documents.ts'
import type { IncidentEntry, Reason } from '../../src/core/command.ts'
import { foldIncidents } from '../../src/edges/log/incident-fold.ts'
import type { IncidentLine } from '../../src/edges/log/incident-line.ts'
import { statusDocument } from '../../src/report/status.ts'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { World } from '../../src/simulator/world.ts'
import { cutsOf, lineOf, type Attempt } from '../laboratory/client.ts'
import { CLIENT_EVERY_MS, HOSTS, TARGET, type LogLine, type Mark, type Scene } from './scene.ts'

const WITNESSES = ['login', 'proxy', 'mail'] as const
/** One seed: every play is the same. */
const SEED = 1
/** A person follows four seconds in one. */
const SPEED = 4

/** Keeps what the world says, with its time. */
class NarratedWorld extends World {
  readonly lines: LogLine[] = []
  readonly records = new Map<string, IncidentLine[]>()
  private readonly began_ms: number

  constructor(began_ms: number) {
    super(sampleInventory(HOSTS.length), SEED)
    this.began_ms = began_ms
  }

  get wall_ms(): number {
    return this.began_ms + this.queue.now_ms
  }

  override log(host: string, reason: Reason): void {
    super.log(host, reason)
    this.lines.push({ at_ms: this.wall_ms, host, alarm: reason.level === 'alarm', text: reason.text })
  }

  override note(text: string): void {
    super.note(text)
    this.lines.push({ at_ms: this.wall_ms, host: 'switch', alarm: false, text })
  }

  override recordIncident(host: string, entry: IncidentEntry): void {
    super.recordIncident(host, entry)
    const { incident, detail, ...rest } = entry
    const line: IncidentLine = { ...rest, at: new Date(this.wall_ms).toISOString(), host, ...(detail === undefined ? {} : { text: detail }) }
    this.records.set(incident, [...this.records.get(incident) ?? [], line])
  }
}

export class SimulatedScene implements Scene {
  readonly simulated = true
  readonly lines_late_ms = 0
  readonly about = 'SIMULATED hosts, network, shared area and hypervisor; the decisions are those of the real program'
  private readonly world = new NarratedWorld(Date.now())
  private readonly paced: boolean
  private readonly signal: AbortSignal
  private readonly attempts: Attempt[] = []
  private marks: Mark[] = []
  private watching = false

  /** `paced`: for a person to follow, else as fast as it goes. */
  constructor(paced: boolean, signal: AbortSignal) {
    this.paced = paced
    this.signal = signal
  }

  bringUp(tell: (text: string) => void): Promise<void> {
    tell('power on')
    for (const name of this.world.names) this.world.host(name).powerOn()
    return Promise.resolve()
  }

  async pass(duration_ms: number): Promise<void> {
    this.world.queue.runUntil(this.world.queue.now_ms + duration_ms)
    if (this.paced) await sleep(duration_ms / SPEED, undefined, { signal: this.signal })
    this.signal.throwIfAborted()
  }

  now(): number {
    return this.world.wall_ms
  }

  look(): Promise<StatusDocument | undefined> {
    const core = WITNESSES.map(name => this.world.host(name).core).find(each => each !== undefined)
    if (!core) return Promise.resolve(undefined)
    return Promise.resolve(statusDocument(core, { now_ms: this.world.queue.now_ms, wall: new Date(this.world.wall_ms) }, { state: core.share.good ? 'ok' : 'unknown', latency_ms: null }))
  }

  incident(): Promise<Incident | undefined> {
    const records = [...this.world.records].map(([id, lines]) => ({ id, lines }))
    return Promise.resolve(foldIncidents(records).find(incident => incident.target === TARGET))
  }

  newLines(): Promise<readonly LogLine[]> {
    return Promise.resolve(this.world.lines.splice(0))
  }

  newMarks(): readonly Mark[] {
    return this.marks.splice(0)
  }

  startWatching(): Promise<void> {
    this.watching = true
    this.attempt()
    return Promise.resolve()
  }

  private attempt(): void {
    if (!this.watching) return
    const started = this.world.wall_ms
    const attempt: Attempt = { started, ended: started, ok: this.world.isServed(TARGET), reason: 'nobody answers' }
    this.attempts.push(attempt)
    const [clock = ''] = lineOf(attempt).split(' ')
    this.marks.push({ clock, ok: attempt.ok })
    this.world.queue.after(CLIENT_EVERY_MS, () => this.attempt())
  }

  cutPower(): Promise<void> {
    this.world.note(`${TARGET}: power off`)
    this.world.host(TARGET).powerOff()
    return Promise.resolve()
  }

  stopWatching(): ReturnType<Scene['stopWatching']> {
    this.watching = false
    const { violations } = this.world.checker
    const left = this.world.checker.deviations()
    return Promise.resolve({
      client: { attempts: this.attempts.length, failed: this.attempts.filter(each => !each.ok).length, cuts: cutsOf(this.attempts) },
      audit: {
        ok: violations.length === 0 && left.length === 0, how: 'the simulator\'s checker looked after every change',
        violations: [...violations.map(each => `${each.rule} at ${each.at_ms} ms: ${each.text}`), ...left],
      },
    })
  }
}
