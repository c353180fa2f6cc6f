/**
 * One core in a world of hand-made facts: a ledger that stands for the shared area, hosts that renew or are silent, and edges that
 * answer at once unless a test takes an answer into its own hands. Time moves only when the test says so.
 */
import type { Command, Reason } from '../../../src/core/command.ts'
import { Context } from '../../../src/core/context.ts'
import type { Event } from '../../../src/core/event.ts'
import type { Inventory, Server } from '../../../src/core/inventory.ts'
import type { ConditionMessage, GivenFunction, Message, RunningProgram } from '../../../src/core/message.ts'
import type { HostCapacity, LoadAverage } from '../../../src/core/non-select.ts'
import { PROFILES, type Profile } from '../../../src/core/profile.ts'
import type { ClaimRecord, LeaseStanding, PillRecord, ReleaseRecord, StandingOrder } from '../../../src/core/records.ts'
import { rolesOf } from '../../../src/core/ring.ts'
import { initialState, type State } from '../../../src/core/state.ts'
import { step } from '../../../src/core/step.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

export type CommandOf<Name extends Command['command']> = Extract<Command, { command: Name }>
export type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>

const GRAIN_MS = 10
export const CAPACITY: HostCapacity = { memory_kb: 8e6, cores: 4, network_rated_kb_per_s: 256_000 }
export const IDLE: LoadAverage = { memory_kb: 4e6, cpu_idle_percent: 90, network_kb_per_s: 100 }

export interface HostScript {
  generation: number
  sequence: number
  standing: LeaseStanding
  renews: boolean
  answers: boolean
  reachable: boolean
  service: 'OK' | 'ERROR' | 'NG'
  /** What its power controller says. */
  power: 'on' | 'off' | 'unknown'
  giving: GivenFunction[]
  load: LoadAverage | undefined
  /** Whom it says it watches; without it, whom it should. */
  watches?: readonly string[]
  version?: string
  program?: RunningProgram
  /** Its wall clock, minus the boot clock of the core under test. */
  wall_offset_ms?: number
  /** What its lease says of a ride by majority. */
  rides_by?: { readonly electorate: readonly string[]; readonly may_miss: number }
}

export interface HarnessOptions {
  readonly hosts?: number
  /** Changes to the sample servers, by name. */
  readonly servers?: Readonly<Record<string, Partial<Server>>>
  readonly inventory?: Partial<Inventory>
}

export class Harness {
  now_ms = 100_000
  /** Room on the shared area, once it is known. */
  free_kb: number | undefined
  readonly self: string
  readonly inventory: Inventory
  readonly profile: Profile = PROFILES.default
  readonly state: State
  readonly hosts = new Map<string, HostScript>()
  readonly claims = new Map<string, ClaimRecord[]>()
  readonly releases = new Map<string, ReleaseRecord>()
  /** The operator's standing orders. */
  orders: StandingOrder[] = []
  /** Who is asked on the share whether it is alone. */
  pills: PillRecord[] = []
  /** Everything the core asked for and said, oldest first. */
  readonly commands: Command[] = []
  readonly reasons: Reason[] = []
  /** Commands of these kinds are left to the test. */
  readonly manual = new Set<Command['command']>()
  share_answers = true
  /** Whether the own guard renews. */
  renews = true
  /** How long the guard's writes take. */
  took_ms = 5
  private generation = 1
  private sequence = 0
  private condition_sequence = 0
  private wake_ms = Infinity
  private renewed_ms = -Infinity
  private round_ms = -Infinity

  constructor(self: string, options: HarnessOptions = {}) {
    this.self = self
    const sample = sampleInventory(options.hosts ?? 6)
    this.inventory = { ...sample, servers: sample.servers.map(server => ({ ...server, ...options.servers?.[server.name] })), ...options.inventory }
    this.state = initialState(self, this.inventory, this.profile, 1_700_000_000_000, this.now_ms)
    for (const { name } of this.inventory.servers) {
      if (name !== self) this.hosts.set(name, { generation: 1, sequence: 0, standing: 'member', renews: true, answers: true, reachable: true, service: 'OK', power: 'on', giving: [native(name)], load: IDLE })
      this.claims.set(name, [claimOf(name, 1, name)])
    }
  }

  /** A ring that has run for a while: everybody present, every function given by its own server. */
  static settled(self: string, options: HarnessOptions = {}): Harness {
    const harness = new Harness(self, options)
    for (const name of harness.hosts.keys()) harness.event({ event: 'reach', host: name, reachable: true, why: 'stream open' })
    harness.run(5_000)
    harness.forget()
    return harness
  }

  host(name: string): HostScript {
    const host = this.hosts.get(name)
    if (!host) throw new Error(`no other host ${name}`)
    return host
  }

  /** Power cut: silent everywhere at once. */
  die(name: string): void {
    Object.assign(this.host(name), { renews: false, answers: false, reachable: false, service: 'NG' })
    this.event({ event: 'reach', host: name, reachable: false, why: 'no heartbeat' })
  }

  /** No word of the others arrives here any more, and no answer to a ping, though they live and renew. */
  deaf(...except: string[]): void {
    for (const [name, host] of this.hosts) {
      if (except.includes(name)) continue
      Object.assign(host, { reachable: false, answers: false })
      this.event({ event: 'reach', host: name, reachable: false, why: 'no heartbeat' })
    }
  }

  /** Booted again, under the next generation, giving nothing. */
  comeBack(name: string): void {
    const host = this.host(name)
    Object.assign(host, { generation: host.generation + 1, sequence: 0, renews: true, answers: true, reachable: true, service: 'OK', giving: [] })
    this.event({ event: 'reach', host: name, reachable: true, why: 'stream open' })
  }

  /** Hands one event to the core, and answers what it asks for, in order. */
  event(event: Event): { commands: readonly Command[]; reasons: readonly Reason[] } {
    const { commands, reasons } = step(this.state, event, this.now_ms)
    this.commands.push(...commands)
    this.reasons.push(...reasons)
    for (const command of commands) this.answer(command)
    return { commands, reasons }
  }

  message(from: string, message: Message): { commands: readonly Command[]; reasons: readonly Reason[] } {
    return this.event({ event: 'message', from, message })
  }

  /** Lets time pass: renewals, rounds, pings and the core's own timer. */
  run(duration_ms: number): void {
    const end_ms = this.now_ms + duration_ms
    while (this.now_ms < end_ms) {
      this.now_ms += GRAIN_MS
      if (this.now_ms - this.renewed_ms >= this.profile.renew_ms) this.renewAll()
      if (this.now_ms - this.round_ms >= this.inventory.interval_ms) this.roundOfAll()
      if (this.now_ms >= this.wake_ms) {
        this.wake_ms = Infinity
        this.event({ event: 'timer' })
      }
    }
  }

  /** Runs until `found`, at most so long. */
  runUntil(found: () => boolean, limit_ms = 60_000): boolean {
    for (const end_ms = this.now_ms + limit_ms; !found() && this.now_ms < end_ms;) this.run(GRAIN_MS)
    return found()
  }

  /** Forgets what was asked and said so far. */
  forget(): void {
    this.commands.length = 0
    this.reasons.length = 0
  }

  asked<Name extends Command['command']>(name: Name): CommandOf<Name>[] {
    return this.commands.filter((command): command is CommandOf<Name> => command.command === name)
  }

  sent<Kind extends Message['kind']>(kind: Kind, to?: string): { to: string; message: MessageOf<Kind> }[] {
    return this.asked('send').filter(send => send.message.kind === kind && (to === undefined || send.to === to)) as unknown as { to: string; message: MessageOf<Kind> }[]
  }

  stages(): string[] {
    return this.asked('incident').map(({ entry }) => entry.stage)
  }

  said(part: string): boolean {
    return this.reasons.some(({ text }) => text.includes(part))
  }

  context(): Context {
    return new Context(this.state, this.now_ms)
  }

  newest(name: string): ClaimRecord {
    return this.claims.get(name)!.at(-1)!
  }

  addClaim(record: ClaimRecord): void {
    this.claims.get(record.function)!.push(record)
  }

  addRelease(name: string, epoch: number, how: ReleaseRecord['how'] = 'remote-hand', by = 'mail'): void {
    this.releases.set(`${name} ${epoch}`, { schema: 'ringward.release/1', function: name, epoch, how, by })
  }

  /** A fresh read that was issued so long ago. */
  observe(took_ms = 0): void {
    const claims = [...this.claims.values()].flatMap(records => {
      const claim = records.at(-1)
      if (!claim) return []
      const release = this.releases.get(`${claim.function} ${claim.epoch}`)
      return [release ? { claim, release } : { claim }]
    })
    const leases = [...this.hosts].filter(([, { generation }]) => generation > 0)
      .map(([host, { generation, sequence, standing, rides_by }]) => ({ schema: 'ringward.lease/1' as const, host, generation, sequence, standing, boot_id: 'boot', ...rides_by }))
    this.event({ event: 'observed', started_ms: this.now_ms - took_ms, observation: { leases, claims, orders: this.orders, pills: this.pills }, ...this.free_kb === undefined ? {} : { free_kb: this.free_kb } })
  }

  /** The own guard's next word. */
  lease(): void {
    this.event({ event: 'lease', generation: this.generation, sequence: (this.sequence += 1), deadline_ms: this.now_ms + this.profile.stop_ms, took_ms: this.took_ms })
  }

  loseLease(stopped: readonly string[]): void {
    this.renews = false
    this.event({ event: 'lease-lost', generation: (this.generation += 1), stopped })
  }

  private renewAll(): void {
    this.renewed_ms = this.now_ms
    for (const host of this.hosts.values()) if (host.renews) host.sequence += 1
    if (this.renews) this.lease()
  }

  private roundOfAll(): void {
    this.round_ms = this.now_ms
    this.condition_sequence += 1
    for (const [name, host] of this.hosts) if (host.reachable) this.message(name, { ...conditionOf(host, this.condition_sequence), watches: this.watchesOf(name), ...host.version === undefined ? {} : { version: host.version }, ...host.program ? { program: host.program } : {}, ...host.wall_offset_ms === undefined ? {} : { wall_ms: this.now_ms + host.wall_offset_ms } })
    for (const target of this.asked('watch').at(-1)?.targets ?? [...this.state.watches.keys()]) this.event({ event: 'ping', target, answered: this.host(target).answers })
  }

  private watchesOf(name: string): ConditionMessage['watches'] {
    const { watches } = this.host(name)
    const here = (host: string): boolean => this.hosts.get(host)?.renews ?? this.renews
    return watches?.map(target => ({ target, priority: 1, mode: 'regular' })) ?? rolesOf(this.state.order, name, here).map(role => ({ ...role, mode: 'regular' }))
  }

  private answer(command: Command): void {
    if (command.command === 'timer') return void (this.wake_ms = command.at_ms)
    if (this.manual.has(command.command)) return
    switch (command.command) {
      case 'observe': return this.share_answers ? this.observe() : undefined
      case 'examine': return void this.event({ event: 'examined', target: command.target, answered: this.host(command.target).answers })
      case 'probe': return this.probed(command.target, command.where)
      case 'survey': return void this.event({ event: 'survey', average: IDLE, capacity: CAPACITY })
      case 'prepare': return void this.event({ event: 'prepared', function: command.function, ok: true, detail: 'paused' })
      case 'serve': return void this.event({ event: 'serving', function: command.function, epoch: command.epoch, ok: true, detail: '' })
      case 'stop': return void this.event({ event: 'stopped', function: command.function, ok: true, detail: '' })
      case 'claim': return this.claim(command)
      case 'release': return this.release(command)
      case 'hand': return void this.event({ event: 'hand', target: command.target, verb: command.verb, ok: true, detail: '' })
      case 'power': return void this.event({ event: 'power', target: command.target, verb: command.verb, request: command.request, state: this.host(command.target).power, detail: '' })
      case 'wake': return void this.event({ event: 'woken', target: command.target, ok: true, detail: '' })
      default:
    }
  }

  /** A virtual server always serves here; the target's own service is what a test sets. */
  private probed(target: string, where: 'own address' | 'vip'): void {
    const { service, answers } = this.host(target)
    const verdict = where === 'vip' ? 'OK' : answers ? service : 'NG'
    this.event({ event: 'probed', where, target, verdict, daemon: 'service', detail: verdict === 'OK' ? '' : 'no connection' })
  }

  private claim({ order }: CommandOf<'claim'>): void {
    const records = this.claims.get(order.function)!
    const record: ClaimRecord = { schema: 'ringward.claim/1', nonce: `${this.self} ${this.now_ms}`, ...order }
    const won = order.epoch === records.length + 1
    if (won) records.push(record)
    this.event({ event: 'claimed', function: order.function, epoch: order.epoch, outcome: won ? 'won' : 'lost', standing: records[order.epoch - 1]!, detail: '' })
  }

  private release({ order }: CommandOf<'release'>): void {
    const key = `${order.function} ${order.epoch}`
    if (!this.releases.has(key)) this.releases.set(key, { schema: 'ringward.release/1', ...order })
    this.event({ event: 'released', function: order.function, epoch: order.epoch, ok: true, detail: '' })
  }
}

export function native(name: string, epoch = 1): GivenFunction {
  return { function: name, epoch, kind: 'native', stage: 'serving' }
}

export function virtual(name: string, epoch: number, stage: GivenFunction['stage'] = 'serving'): GivenFunction {
  return { function: name, epoch, kind: 'virtual', stage }
}

export function claimOf(name: string, epoch: number, holder: string, fields: Partial<ClaimRecord> = {}): ClaimRecord {
  const kind = holder === name ? 'native' : 'virtual'
  return { schema: 'ringward.claim/1', function: name, epoch, holder, generation: 1, kind, proof: epoch === 1 ? 'first' : 'silence', by: holder, nonce: `${name} ${epoch}`, ...fields }
}

export function conditionOf(host: HostScript, sequence: number): ConditionMessage {
  return {
    kind: 'condition', generation: host.generation, sequence, version: 'sample', giving: host.giving, watches: [],
    ...(host.load ? { load: { average: host.load, forecast: host.load, capacity: CAPACITY } } : {}),
  }
}
