/** What can happen to one host between two ticks. The core decides by its own `step`, the guard by its own rules; here is only what carries their orders out. */
import type { Command } from '../../core/command.ts'
import { Context } from '../../core/context.ts'
import type { Event } from '../../core/event.ts'
import type { Observation } from '../../core/records.ts'
import { claimMargin_ms, rightToClaim } from '../../core/right-to-claim.ts'
import { step } from '../../core/step.ts'
import { GuardCore, type Renewal } from '../../guard/guard-core.ts'
import { CONSENT_MS, NOW_MS } from './coarse-time.ts'
import { claimOf, leaseOf } from './host-codec.ts'
import { askedAt_ms, chargeOf, claimOnItsWay, requestOf, type FunctionOrder, type KernelHost, type KernelRing, type RideMessage, type Sent } from './kernel-host.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

/** Of managers, the log and clients: nothing of it is hard state. */
const NOT_THE_KERNELS: ReadonlySet<Command['command']> = new Set(['timer', 'watch', 'probe', 'survey', 'publish', 'incident', 'examine', 'alert'])
/** Hints that cost time when they are lost; here whoever may act may act at any time. */
const HINTS: ReadonlySet<string> = new Set(['look', 'progress'])

export const outstandingOf = (host: KernelHost): Renewal | undefined => (host.guard as unknown as { outstanding: Renewal | undefined }).outstanding

export class KernelActs {
  private readonly ring: KernelRing

  constructor(ring: KernelRing) {
    this.ring = ring
  }

  /** The agent learns something, and its orders are carried out as far as nothing has to travel. */
  handle(host: KernelHost, event: Event): void {
    const { commands } = step(host.state, event, NOW_MS)
    // The managers' memory: the ring is on hold, and they begin anew each time.
    host.state.watches.clear()
    for (const command of commands) this.carryOut(host, command)
  }

  private carryOut(host: KernelHost, command: Command): void {
    switch (command.command) {
      case 'observe': return void (host.read = { leases: undefined, claims: undefined })
      case 'claim': return this.claim(host, command)
      case 'release': return this.release(host, command)
      // Loading takes no part in any rule: it succeeds at once.
      case 'prepare': return this.handle(host, { event: 'prepared', function: command.function, ok: true, detail: '' })
      case 'serve': return void host.orders.push({ order: 'serve', function: command.function, epoch: command.epoch, kind: command.kind, generation: command.generation, called_off: false, done: false })
      case 'stop': return callOff(host, command.function)
      case 'send': return send(host, command)
      case 'ride':
        this.stopOverdue(host)
        if (host.guard.ride(command.until_ms, command.promised, NOW_MS) === undefined) this.extend(host)
        return
      case 'electorate':
        this.stopOverdue(host)
        host.guard.electorateIs(command.names, NOW_MS, command.may_miss)
        // The guard looks again at once (guard.ts), and a record may be due.
        return this.renewWhenDue(host)
      default:
        if (!NOT_THE_KERNELS.has(command.command)) throw new Error(`the search does not know what ${command.command} does to the kernel`)
    }
  }

  /** As the agent does (agent/share-orders.ts): what this host gives up itself is barred at its guard first. */
  private bar(host: KernelHost, name: string, epoch: number): void {
    this.stopOverdue(host)
    const ended = host.guard.bar(name, epoch)
    if (ended) host.given.delete(ended.function)
  }

  private claim(host: KernelHost, { order }: Of<'claim'>): void {
    if (order.proof === 'hand-over') this.bar(host, order.function, order.epoch - 1)
    host.claims.set(order.function, claimOnItsWay(order))
  }

  private release(host: KernelHost, { order }: Of<'release'>): void {
    this.bar(host, order.function, order.epoch)
    host.releases.set(order.function, { epoch: order.epoch, how: order.how, phase: 'asked' })
  }

  // The guard

  /** Every entrance of the guard comes through here first. */
  private stopOverdue(host: KernelHost): void {
    const stop = host.guard.overdue(NOW_MS)
    if (!stop) return
    host.renewal_applied = false
    for (const charge of stop.charges) host.given.delete(charge.function)
    this.handle(host, { event: 'lease-lost', generation: stop.generation, stopped: stop.charges.map(charge => charge.function) })
  }

  /** One turn of the guard. */
  guardLooks(host: KernelHost): void {
    this.stopOverdue(host)
    this.renewWhenDue(host)
  }

  private renewWhenDue(host: KernelHost): void {
    if (host.guard.renew(NOW_MS)) host.renewal_applied = false
  }

  renewalAcknowledged(host: KernelHost): void {
    const renewal = outstandingOf(host)!
    this.stopOverdue(host)
    host.renewal_applied = false
    if (!host.guard.acknowledged(renewal, NOW_MS)) return
    this.extend(host)
    this.greet(host)
  }

  renewalFailed(host: KernelHost): void {
    host.guard.failed(outstandingOf(host)!)
    host.renewal_applied = false
  }

  /** State, watchdog and kernel get the times anew. */
  private extend({ guard, given }: KernelHost): void {
    for (const charge of guard.all()) given.set(charge.function, { kind: charge.kind, until_ms: guard.goneBy_ms(charge) })
  }

  /** The guard's word to the agent (agent/guard-notices.ts). */
  private greet(host: KernelHost): void {
    const { generation, deadline_ms, electorate, may_miss } = host.guard.status(NOW_MS)
    if (deadline_ms > 0) this.handle(host, { event: 'lease', generation, sequence: 0, deadline_ms, ...electorate ? { electorate } : {}, ...may_miss === undefined ? {} : { may_miss } })
  }

  // The shared area

  readReturned(host: KernelHost): void {
    const { leases, claims } = host.read!
    const observation: Observation = {
      leases: [...leases!].map(([name, { generation, electorate, may_miss, same }]) => leaseOf(name, { generation, sequence: same ? 0 : 1, electorate, may_miss })),
      claims: [...claims!].map(([name, { epoch, holder, generation, kind, released }]) => ({
        claim: claimOf(name, epoch, holder, generation, kind), ...released ? { release: { schema: 'ringward.release/1', function: name, epoch, how: 'not-started', by: holder } as const } : {},
      })),
      orders: [{ order: 'hold', remaining_ms: Infinity }],
    }
    host.up_to_date.clear()
    for (const [name, { stands }] of leases!) if (stands) host.up_to_date.add(name)
    const started_ms = host.state.share.outstanding_ms!
    host.read = undefined
    this.handle(host, { event: 'observed', started_ms, observation })
  }

  claimAnswered(host: KernelHost, name: string, known: boolean): void {
    const claim = host.claims.get(name)!
    const { epoch, phase } = claim
    if (!known) {
      // Applied or not, now or later: nobody will say.
      if (phase === 'asked') claim.phase = 'abandoned'
      else host.claims.delete(name)
      return this.handle(host, { event: 'claimed', function: name, epoch, outcome: 'unknown', detail: '' })
    }
    host.claims.delete(name)
    const standing = phase === 'won' ? claim : claim.standing
    this.handle(host, { event: 'claimed', function: name, epoch, outcome: phase === 'won' ? 'won' : 'lost', ...standing ? { standing: claimOf(name, standing.epoch, standing.holder, standing.generation, standing.kind) } : {}, detail: '' })
  }

  releaseAnswered(host: KernelHost, name: string): void {
    const { epoch } = host.releases.get(name)!
    host.releases.delete(name)
    this.handle(host, { event: 'released', function: name, epoch, ok: true, detail: '' })
  }

  // Functions

  /** Carries out the oldest order as far as the guard is concerned; true when the guard has taken a function in its charge. */
  orderCarriedOut(host: KernelHost): boolean {
    const order = host.orders[0]!
    this.stopOverdue(host)
    // The loss of the lease may have called it off.
    if (host.orders[0] !== order) return false
    if (order.order === 'stop') {
      host.orders.shift()
      host.guard.disarm(order.function)
      host.given.delete(order.function)
      this.handle(host, { event: 'stopped', function: order.function, ok: true, detail: '' })
      return false
    }
    const refused = host.guard.arm(chargeOf(order.function, order.epoch, order.kind), order.generation, claimMargin_ms(new Context(host.state, NOW_MS)), NOW_MS)
    if (refused !== undefined) {
      this.orderAnswered(host, false)
      return false
    }
    order.done = true
    this.extend(host)
    return true
  }

  /** The agent hears of the start. */
  orderAnswered(host: KernelHost, ok: boolean): void {
    const order = host.orders.shift() as Extract<FunctionOrder, { order: 'serve' }>
    this.handle(host, { event: 'serving', function: order.function, epoch: order.epoch, ok, detail: '' })
  }

  stepLimitPasses(host: KernelHost, name: string): void {
    host.state.giving.get(name)!.deadline_ms = NOW_MS
    this.handle(host, { event: 'timer' })
  }

  /** Whether a nomination would lead to a claim at once, or to a question for consents: an earlier one waits for this moment, a later one finds it as well. */
  mayBeNominated(host: KernelHost, name: string): boolean {
    if (host.state.giving.has(name) || host.state.functions.get(name)!.claim === undefined) return false
    const right = rightToClaim(new Context(host.state, NOW_MS), name)
    return 'proof' in right || right.consents === true
  }

  nominated(host: KernelHost, name: string): void {
    const epoch = host.state.functions.get(name)!.claim!.epoch
    const from = this.ring.names.find(other => other !== host.name)!
    this.handle(host, { event: 'message', from, message: { kind: 'nominate', incident: '', function: name, epoch, as: name === host.name ? 'native' : 'virtual' } })
  }

  askedToReturn(host: KernelHost, name: string): void {
    const { epoch } = host.state.giving.get(name)!
    const { generation } = host.state.hosts.get(name)!.lease!
    const from = this.ring.names.find(other => other !== host.name)!
    this.handle(host, { event: 'message', from, message: { kind: 'return', incident: '', function: name, epoch, to: name, generation } })
  }

  // Messages

  delivered(host: KernelHost, from: string, { asked_ms, message }: Sent): void {
    this.handle(host, { event: 'message', from, message: { ...message, request: requestOf(asked_ms) } })
  }

  // Deaths

  /** The agent dies and another begins; what was on its way to the share may still arrive there. */
  agentDies(host: KernelHost): void {
    this.agentBegins(host)
    this.greet(host)
    for (const { function: name, epoch, kind } of host.guard.all()) this.handle(host, { event: 'adopted', function: name, epoch, kind })
    this.handle(host, { event: 'timer' })
  }

  private agentBegins(host: KernelHost): void {
    host.state = this.ring.newState(host.name)
    host.up_to_date.clear()
    host.read = undefined
    host.orders = []
    host.sent.clear()
    for (const [name, claim] of host.claims) abandon(host.claims, name, claim)
    for (const [name, release] of host.releases) abandon(host.releases, name, release)
  }

  /** The guard dies; its successor goes on with the lease or begins another generation. */
  guardDies(host: KernelHost): void {
    const memory = host.guard.memory()
    const resumed = GuardCore.resume(this.ring.profile, memory, NOW_MS)
    host.guard = resumed ?? new GuardCore(this.ring.profile, memory.generation + 1, NOW_MS)
    host.guard.goBeyond(0)
    host.guard.agentPresent(true, NOW_MS)
    host.renewal_applied = false
    if (resumed) return
    for (const [name, epoch] of Object.entries(memory.barred)) host.guard.bar(name, epoch)
    for (const charge of memory.charges) host.given.delete(charge.function)
  }

  /** Power off, and on again at once: while it is off the host does nothing, which it may do anyhow. */
  powerFails(host: KernelHost): void {
    this.agentBegins(host)
    host.given.clear()
    host.guard = new GuardCore(this.ring.profile, host.guard.present_generation + 1, NOW_MS)
    host.guard.goBeyond(0)
    host.guard.agentPresent(true, NOW_MS)
    host.renewal_applied = false
    this.handle(host, { event: 'timer' })
  }

  // Time

  /** A tick has passed (the codec has moved the times): what ends by itself has ended. */
  timePasses(host: KernelHost): void {
    const { profile } = this.ring
    for (const [name, { until_ms }] of host.given) if (until_ms <= NOW_MS) host.given.delete(name)
    // Later than that a promise or a consent counts for nothing.
    for (const [key, { asked_ms, message }] of host.sent) {
      const worth_ms = message.kind === 'consent-request' || message.kind === 'consent' ? CONSENT_MS : profile.promise_ms
      if (NOW_MS - asked_ms >= worth_ms) host.sent.delete(key)
    }
    const { share } = host.state
    // The edge gives a read up after 2r (agent/share-orders.ts), the share helper a renewal after D_stop.
    if (share.outstanding_ms !== undefined && NOW_MS - share.outstanding_ms > 2 * profile.renew_ms) {
      share.outstanding_ms = undefined
      host.read = undefined
    }
    const renewal = outstandingOf(host)
    if (renewal && NOW_MS - renewal.issued_ms >= profile.stop_ms) this.renewalFailed(host)
  }
}

function abandon<Kind extends { phase: string }>(all: Map<string, Kind>, name: string, item: Kind): void {
  if (item.phase === 'asked') item.phase = 'abandoned'
  else if (item.phase !== 'abandoned') all.delete(name)
}

/** A stop calls off what is under way for the function, and waits for its turn. */
function callOff(host: KernelHost, name: string): void {
  for (const order of host.orders) if (order.order === 'serve' && order.function === name) order.called_off = true
  host.orders.push({ order: 'stop', function: name })
}

/** A question is asked now, whatever its number: several may be asked in one step. */
function send(host: KernelHost, { to, message }: Of<'send'>): void {
  const put = (asked_ms: number, without_number: RideMessage): void => void host.sent.set(`${message.kind} ${to}`, { to, asked_ms, message: without_number })
  switch (message.kind) {
    case 'promise-request': return put(NOW_MS, { kind: message.kind, epoch: message.epoch })
    case 'promise': return put(askedAt_ms(message.request), { kind: message.kind })
    case 'consent-request': return put(NOW_MS, { kind: message.kind, holder: message.holder })
    case 'consent': return put(askedAt_ms(message.request), { kind: message.kind, free_ms: Math.min(message.free_ms, CONSENT_MS) })
    default: if (!HINTS.has(message.kind)) throw new Error(`the search does not know what ${message.kind} does to the kernel`)
  }
}
