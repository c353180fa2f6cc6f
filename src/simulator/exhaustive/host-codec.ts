/**
 * A host as text, and back. Two hosts of which no rule can ever tell the difference have the same text: times are relative to now, and those
 * that lie further off than any rule looks are all the same. What is not written is the managers' own (they are on hold) or for the log.
 */
import type { ClaimRecord, FunctionKind, LeaseRecord } from '../../core/records.ts'
import { newFunctionFacts, newHostFacts, type FunctionFacts, type Giving, type HostFacts, type State } from '../../core/state.ts'
import { GuardCore, type Renewal } from '../../guard/guard-core.ts'
import type { Charge } from '../../guard/guard-protocol.ts'
import { CONSENT_MS, NOW_MS, TICK_MS } from './coarse-time.ts'
import { askingOf, restoreAsking, type EncodedAsking } from './consent-codec.ts'
import { chargeOf, requestOf, type KernelHost, type KernelRing, type RideMessage } from './kernel-host.ts'

/** What `GuardCore` consists of; taken and given back field by field. */
interface GuardFields {
  generation: number
  sequence: number
  deadline_ms: number
  issued_ms: number
  begun_ms: number | undefined
  too_late: boolean
  ride_until_ms: number
  outstanding: Renewal | undefined
  next_renewal_ms: number
  charges: Map<string, Charge>
  barred: Map<string, number>
  electorate: readonly string[] | undefined
  listed: readonly string[] | undefined
  may_miss: number
  listed_may_miss: number
}

/**
 * Fields of the product this file keeps, and after the bar those it need not: constants, the managers' memory (they are on hold), what is for the log alone, what the search never brings about.
 * A field that is added to the product stops the search until it is thought of here.
 */
const OWN_FIELDS = 'generation deadline_ms electorate may_miss | sequence'
const SHARE_FIELDS = 'last_started_ms last_returned_ms outstanding_ms look | good free_kb'
const PROMISE_FIELDS = 'sent_ms requests answered_ms ride_until_ms | request unkept_since_ms'
const GUARD_FIELDS = 'generation sequence deadline_ms issued_ms begun_ms too_late ride_until_ms outstanding next_renewal_ms charges barred electorate listed may_miss listed_may_miss | profile renew_latency_ms agent_gone_since_ms leaving compared extended_ms'
const STATE_FIELDS = 'own share hosts functions giving promise electorate_told_ms counter consents started_ms | self wall_offset_ms inventory profile program order servers by_priority was_whole health renewals clock_offset_ms guard_silent unwritten standby alerts without_agent appliances watches rehoming power incidents standing_by round load virtual_services probe_requests condition_sequence condition_due roles orders pills alone leaving'
const HOST_FIELDS = 'name lease lease_since_ms lease_grew_ms missing lease_silent_ms promised_until_ms | older newest_read_ms generation_since_ms reachable condition condition_ms'
const FUNCTION_FIELDS = 'name claim release since_ms given_up_epoch claiming releasing_ms release_again_ms | failed_starts failed_ms overload_restarts return_wanted returning_ms came_home_ms flapping_told'

/** Far enough off that it never comes: step limits pass by a move of their own. */
const FAR_MS = 1_000_000

type Value = string | number | boolean | null | readonly Value[]

/** How long ago, `oldest_ms` at most. */
const ago = (at_ms: number, oldest_ms: number): number => Math.min(NOW_MS - at_ms, oldest_ms)
/** How far off; what has come has come. */
const ahead = (at_ms: number): number => Math.max(at_ms - NOW_MS, 0)

export class HostCodec {
  private readonly ring: KernelRing

  constructor(ring: KernelRing) {
    this.ring = ring
    const host = ring.newHost(ring.names[0]!)
    expectFields('GuardCore', host.guard, GUARD_FIELDS)
    expectFields('State', host.state, STATE_FIELDS)
    expectFields('State.own', host.state.own, OWN_FIELDS)
    expectFields('State.share', host.state.share, SHARE_FIELDS)
    expectFields('State.promise', host.state.promise, PROMISE_FIELDS)
    expectFields('HostFacts', newHostFacts('', 0), HOST_FIELDS)
    expectFields('FunctionFacts', newFunctionFacts('', 0), FUNCTION_FIELDS)
  }

  encode(host: KernelHost): string {
    const { read } = host
    return JSON.stringify([
      host.name, this.state(host), guardOf(host.guard, this.ring.profile.stop_ms), [...host.given].map(([name, { kind, until_ms }]) => [name, kind, until_ms - NOW_MS]).sort(),
      host.renewal_applied, [...host.up_to_date].sort(),
      read ? [read.leases ? [...read.leases] : null, read.claims ? [...read.claims] : null] : null,
      [...host.claims].sort(), [...host.releases].sort(), host.orders,
      [...host.sent].map(([key, { to, asked_ms, message }]) => [key, to, NOW_MS - asked_ms, message]).sort(),
    ])
  }

  private state({ name, state, read }: KernelHost): Value {
    const { profile, functions } = this.ring
    const { own, share, promise } = state
    // While a read is on its way its age is subtracted from what it is compared with.
    const reading_ms = read && share.outstanding_ms !== undefined ? NOW_MS - share.outstanding_ms : 0
    const claims = functions.map(of => this.functionFacts(state.functions.get(of)!, own.generation))
    return [
      [own.generation, own.deadline_ms === 0 ? null : ahead(own.deadline_ms), listOf(own.electorate), own.may_miss ?? 0],
      [ago(share.last_started_ms, profile.renew_ms), share.outstanding_ms === undefined ? null : NOW_MS - share.outstanding_ms, share.last_returned_ms === -Infinity ? null : ago(share.last_returned_ms, 3 * profile.renew_ms + reading_ms), share.look],
      this.ring.names.filter(other => other !== name).map(other => this.hostFacts(state.hosts.get(other)!, reading_ms)),
      claims,
      [...state.giving.values()].map(givingOf).sort(),
      [ago(promise.sent_ms, profile.promise_ms), ahead(promise.ride_until_ms), [...promise.answered_ms].filter(([, at_ms]) => NOW_MS - at_ms < profile.promise_ms).map(([from, at_ms]) => [from, NOW_MS - at_ms]).sort(),
        promise.requests.map(({ sent_ms }) => NOW_MS - sent_ms).filter(age_ms => age_ms < profile.promise_ms)],
      ago(state.electorate_told_ms, profile.renew_ms),
      this.ring.asks_consents ? askingOf(state, functions) : null,
    ]
  }

  private hostFacts({ lease, lease_since_ms, lease_grew_ms, missing, lease_silent_ms, promised_until_ms }: HostFacts, reading_ms: number): Value {
    const { expire_ms, stop_ms } = this.ring.profile
    const silent_ms = lease_silent_ms >= expire_ms ? expire_ms : lease_silent_ms >= stop_ms ? stop_ms : 0
    // Whoever asks for consents looks at when the read that shows the silence was issued, and at how long ago a promise ended.
    const since_ms = this.ring.asks_consents && silent_ms === expire_ms ? expire_ms + ago(lease_since_ms + lease_silent_ms, CONSENT_MS + TICK_MS) : ago(lease_since_ms, expire_ms + reading_ms)
    const promised_ms = this.ring.asks_consents ? Math.max(promised_until_ms - NOW_MS, -CONSENT_MS) : ahead(promised_until_ms)
    return [lease ? [lease.generation, listOf(lease.electorate), lease.may_miss ?? 0] : null, since_ms, ago(lease_grew_ms, stop_ms), missing, silent_ms, promised_ms]
  }

  private functionFacts({ claim, release, since_ms, given_up_epoch, claiming, releasing_ms, release_again_ms }: FunctionFacts, own_generation: number): Value {
    const given_up = claim && given_up_epoch >= claim.epoch ? given_up_epoch : 0
    return [claim ? [claim.epoch, claim.holder, claim.generation, claim.kind] : null, release !== undefined, given_up, ahead(release_again_ms), releasing_ms >= since_ms, claiming?.generation === own_generation ? claiming.epoch : null]
  }

  /** The host that has this text, `elapsed_ms` later. */
  decode(text: string, elapsed_ms = 0): KernelHost {
    const then_ms = NOW_MS - elapsed_ms
    const [name, state, guard, given, renewal_applied, up_to_date, read, claims, releases, orders, sent] = JSON.parse(text) as Encoded
    const host = this.ring.newHost(name)
    this.restoreState(host.state, state, then_ms)
    this.restoreGuard(host.guard, guard, then_ms)
    for (const [of, kind, ahead_ms] of given) host.given.set(of, { kind, until_ms: then_ms + ahead_ms })
    for (const other of up_to_date) host.up_to_date.add(other)
    for (const [of, claim] of claims) host.claims.set(of, claim)
    for (const [of, release] of releases) host.releases.set(of, release)
    for (const [key, to, ago_ms, message] of sent) host.sent.set(key, { to, asked_ms: then_ms - ago_ms, message })
    host.renewal_applied = renewal_applied
    host.read = read ? { leases: read[0] ? new Map(read[0]) : undefined, claims: read[1] ? new Map(read[1]) : undefined } : undefined
    host.orders = orders
    return host
  }

  private restoreState(state: State, [own, share, hosts, functions, giving, promise, told_ms, asking]: EncodedState, then_ms: number): void {
    state.own = { generation: own[0], sequence: 0, deadline_ms: own[1] === null ? 0 : then_ms + own[1], ...own[2] ? { electorate: own[2] } : {}, ...own[3] > 0 ? { may_miss: own[3] } : {} }
    Object.assign(state.share, { last_started_ms: then_ms - share[0], outstanding_ms: share[1] === null ? undefined : then_ms - share[1], last_returned_ms: share[2] === null ? -Infinity : then_ms - share[2], look: share[3] })
    state.share.good = true
    // Long ago, but for consents (consent-codec.ts): only whether a read has come back since matters, and `last_returned_ms` says so.
    Object.assign(state, { started_ms: -FAR_MS })
    this.ring.names.filter(other => other !== state.self).forEach((other, index) => restoreHost(state.hosts.get(other)!, hosts[index]!, then_ms))
    this.ring.functions.forEach((of, index) => restoreFunction(state.functions.get(of)!, functions[index]!, own[0], then_ms))
    for (const item of giving) state.giving.set(item[0], newGiving(item, then_ms))
    const [sent_ms, ride_ms, answered, requests] = promise
    state.promise.sent_ms = then_ms - sent_ms
    state.promise.ride_until_ms = then_ms + ride_ms
    for (const [from, ago_ms] of answered) state.promise.answered_ms.set(from, then_ms - ago_ms)
    state.promise.requests = requests.map(ago_ms => ({ request: requestOf(then_ms - ago_ms), sent_ms: then_ms - ago_ms }))
    state.electorate_told_ms = then_ms - told_ms
    if (asking) restoreAsking(state, this.ring.functions, asking, then_ms)
  }

  private restoreGuard(guard: GuardCore, [generation, deadline_ms, ride_ms, outstanding, next_ms, charges, barred, electorate, listed, begun_ms, too_late, may_miss, listed_may_miss]: EncodedGuard, then_ms: number): void {
    const fields: Omit<GuardFields, 'sequence' | 'issued_ms'> = {
      generation, deadline_ms: deadline_ms === null ? 0 : then_ms + deadline_ms, ride_until_ms: then_ms + ride_ms, next_renewal_ms: then_ms + next_ms,
      outstanding: outstanding ? { generation: outstanding[0], sequence: 0, issued_ms: then_ms - outstanding[1], ...outstanding[2] ? { electorate: outstanding[2] } : {}, ...outstanding[3] > 0 ? { may_miss: outstanding[3] } : {} } : undefined,
      charges: new Map(charges.map(([of, epoch, kind]) => [of, chargeOf(of, epoch, kind)])), barred: new Map(barred), electorate: electorate ?? undefined, listed: listed ?? undefined,
      begun_ms: begun_ms === null ? undefined : then_ms - begun_ms, too_late, may_miss, listed_may_miss,
    }
    Object.assign(guard, fields)
  }
}

function expectFields(what: string, object: object, known: string): void {
  const names = known.split(' ')
  const strange = Object.keys(object).filter(name => !names.includes(name))
  if (strange.length > 0) throw new Error(`${what} has fields the search does not keep: ${strange.join(' ')}; say in host-codec.ts how they are kept, or why they need not be`)
}

const listOf = (names: readonly string[] | undefined): readonly string[] | null => (names ? [...names].sort() : null)

/** The guard's private fields; the renewal's number is left out, for each record that reaches the share is newer than the one before. */
function guardOf(guard: GuardCore, stop_ms: number): Value {
  const { generation, deadline_ms, begun_ms, too_late, ride_until_ms, outstanding, next_renewal_ms, charges, barred, electorate, listed, may_miss, listed_may_miss } = guard as unknown as GuardFields
  return [
    generation, deadline_ms === 0 ? null : ahead(deadline_ms), ahead(ride_until_ms), outstanding ? [outstanding.generation, ago(outstanding.issued_ms, stop_ms), listOf(outstanding.electorate), outstanding.may_miss ?? 0] : null, ahead(next_renewal_ms),
    [...charges.values()].map(charge => [charge.function, charge.epoch, charge.kind]).sort(), [...barred].sort(), listOf(electorate), listOf(listed),
    // Only the first lease of a generation is judged by it.
    begun_ms === undefined || deadline_ms > 0 ? null : ago(begun_ms, stop_ms), too_late, may_miss, listed_may_miss,
  ]
}

function givingOf({ function: name, kind, stage, epoch, nominator, deadline_ms, hand_over, stopped, goes_on_as, again_ms }: Giving): Value {
  const limit = deadline_ms === Infinity ? 'none' : deadline_ms <= NOW_MS ? 'passed' : 'ahead'
  return [name, kind, stage, epoch, nominator, limit, hand_over ? [hand_over.to, hand_over.generation, hand_over.kind] : null, stopped, goes_on_as ?? null, ahead(again_ms ?? -Infinity)]
}

function newGiving([name, kind, stage, epoch, nominator, limit, hand_over, stopped, goes_on_as, again_ms]: EncodedGiving, then_ms: number): Giving {
  return {
    function: name, kind, stage, epoch, nominator, incident: '', begun_ms: NOW_MS, heard_ms: NOW_MS, deadline_ms: limit === 'none' ? Infinity : limit === 'passed' ? NOW_MS : NOW_MS + FAR_MS,
    hand_over: hand_over ? { to: hand_over[0], generation: hand_over[1], kind: hand_over[2] } : undefined, stopped,
    goes_on_as: goes_on_as ?? undefined, again_ms: then_ms + again_ms,
  }
}

function restoreHost(facts: HostFacts, [lease, since_ms, grew_ms, missing, silent_ms, promised_ms]: EncodedHost, then_ms: number): void {
  facts.lease = lease ? leaseOf(facts.name, { generation: lease[0], sequence: 0, electorate: lease[1] ?? undefined, may_miss: lease[2] }) : undefined
  facts.lease_since_ms = then_ms - since_ms
  facts.lease_grew_ms = then_ms - grew_ms
  facts.missing = missing
  facts.lease_silent_ms = silent_ms
  facts.promised_until_ms = then_ms + promised_ms
}

export function leaseOf(host: string, { generation, sequence, electorate, may_miss }: LeaseFields): LeaseRecord {
  return { schema: 'ringward.lease/1', host, generation, sequence, standing: 'member', boot_id: '', ...electorate ? { electorate } : {}, ...may_miss > 0 ? { may_miss } : {} }
}

export function claimOf(name: string, epoch: number, holder: string, generation: number, kind: FunctionKind): ClaimRecord {
  return { schema: 'ringward.claim/1', function: name, epoch, holder, generation, kind, proof: 'first', by: holder, nonce: '' }
}

function restoreFunction(facts: FunctionFacts, [claim, released, given_up, release_again_ms, released_since, claiming]: EncodedFunction, own_generation: number, then_ms: number): void {
  facts.claim = claim ? claimOf(facts.name, claim[0], claim[1], claim[2], claim[3]) : undefined
  facts.release = claim && released ? { schema: 'ringward.release/1', function: facts.name, epoch: claim[0], how: 'not-started', by: claim[1] } : undefined
  facts.given_up_epoch = given_up
  facts.releasing_ms = then_ms - FAR_MS
  facts.release_again_ms = then_ms + release_again_ms
  // Of both times only the order counts: no rule of the kernel looks at how long a claim has stood.
  facts.since_ms = facts.releasing_ms + (released_since ? 0 : 1)
  facts.claiming = claiming === null ? undefined : { epoch: claiming, generation: own_generation }
}

type Names = readonly string[] | null
interface LeaseFields {
  readonly generation: number
  readonly sequence: number
  readonly electorate: readonly string[] | undefined
  readonly may_miss: number
}
type EncodedHost = [lease: [number, Names, number] | null, since_ms: number, grew_ms: number, missing: boolean, silent_ms: number, promised_ms: number]
type EncodedFunction = [claim: [number, string, number, FunctionKind] | null, released: boolean, given_up: number, release_again_ms: number, released_since: boolean, claiming: number | null]
type EncodedGiving = [string, FunctionKind, Giving['stage'], number, string, 'none' | 'passed' | 'ahead', [string, number, FunctionKind] | null, boolean, number | null, number]
type EncodedState = [
  own: [number, number | null, Names, may_miss: number], share: [number, number | null, number | null, boolean], hosts: EncodedHost[], functions: EncodedFunction[], giving: EncodedGiving[],
  promise: [sent_ms: number, ride_ms: number, answered: [string, number][], requests: number[]], told_ms: number, asking: EncodedAsking | null,
]
type EncodedGuard = [number, number | null, number, [number, number, Names, number] | null, number, [string, number, FunctionKind][], [string, number][], Names, Names, number | null, boolean, number, number]
type Encoded = [
  name: string, state: EncodedState, guard: EncodedGuard, given: [string, FunctionKind, number][], renewal_applied: boolean, up_to_date: string[],
  read: [[string, ReadLease][] | null, [string, ReadClaim][] | null] | null, claims: [string, Claiming][], releases: [string, Releasing][], orders: KernelHost['orders'],
  sent: [key: string, to: string, ago_ms: number, message: RideMessage][],
]
type ReadLease = NonNullable<NonNullable<KernelHost['read']>['leases']> extends Map<string, infer Lease> ? Lease : never
type ReadClaim = NonNullable<NonNullable<KernelHost['read']>['claims']> extends Map<string, infer Claim> ? Claim : never
type Claiming = KernelHost['claims'] extends Map<string, infer Claim> ? Claim : never
type Releasing = KernelHost['releases'] extends Map<string, infer Release> ? Release : never
