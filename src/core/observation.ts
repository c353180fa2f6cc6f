/** R3: what fresh reads of the share say about leases and claims. */
import { kindAt, type ClaimRecord, type LeaseRecord, type Observation, type ReleaseRecord } from './records.ts'
import { isAgentless } from './appliance.ts'
import type { Context } from './context.ts'
import { functionOf } from './context.ts'
import { whoPromises } from './electorate.ts'
import { noteOrders } from './orders.ts'
import { notePills } from './pill.ts'
import { newHostFacts, type FunctionFacts, type HostFacts } from './state.ts'

/** A read that has not come back by then is given up by the edge; the core asks again no earlier. */
const READ_LIMIT_MS = 5_000
/** Between looks while an expiry is awaited. */
const LOOK_AGAIN_MS = 20

export function decideObservation(context: Context): void {
  const { share, profile } = context.state
  if (share.outstanding_ms !== undefined) {
    if (!context.due(share.outstanding_ms + READ_LIMIT_MS)) return
    share.outstanding_ms = undefined
  }
  if (!share.look && !context.due(share.last_started_ms + profile.renew_ms)) return
  share.look = false
  share.outstanding_ms = context.now_ms
  share.last_started_ms = context.now_ms
  context.do({ command: 'observe' })
}

/** Once that time has come every look may bring what is waited for, and the next regular one is too late. */
export function lookWhenDue(context: Context, at_ms: number): void {
  const { share } = context.state
  if (context.due(at_ms) && context.due(share.last_started_ms + LOOK_AGAIN_MS)) share.look = true
}

function grew(former: LeaseRecord | undefined, seen: LeaseRecord): 'same' | 'grew' | 'stale' {
  if (!former) return 'grew'
  if (seen.generation !== former.generation) return seen.generation > former.generation ? 'grew' : 'stale'
  if (seen.sequence !== former.sequence) return seen.sequence > former.sequence ? 'grew' : 'stale'
  return 'same'
}

/**
 * Silence is the time in which nothing new is read; after a gap between reads it is counted anew, so that an outage is not taken for silence. The pair may only
 * grow: an older one, which a late write or a stale read shows, changes nothing of what is known, and is news only once.
 */
function noteLease(context: Context, host: HostFacts, seen: LeaseRecord | undefined, started_ms: number, gap: boolean): void {
  const { now_ms, state: { profile } } = context
  if (gap) {
    host.lease_since_ms = now_ms
    host.lease_silent_ms = 0
  }
  // What cannot be read says nothing.
  if (!seen && host.lease) return
  const is_older = seen !== undefined && grew(host.lease, seen) === 'stale'
  const former = is_older ? host.older : host.lease
  if (!is_older || gap) host.newest_read_ms = now_ms
  if (seen && grew(former, seen) !== 'same') {
    const has_grown = grew(former, seen) === 'grew'
    // The first sight of a record proves nothing about when it was written.
    if (former && has_grown) host.lease_grew_ms = now_ms
    if (has_grown && (former || !is_older)) host.missing = false
    host.lease_since_ms = now_ms
    if (!is_older || (former && has_grown && isPutBack(context, host))) takeUp(context, host, seen)
    else host.older = seen
  }
  host.lease_silent_ms = Math.max(0, started_ms - host.lease_since_ms)
  if (host.lease_silent_ms >= profile.stop_ms) host.missing = true
}

/**
 * Older pairs grow, and the newest has not been seen for an expiry: that one was a late word of a former life. The disk was put back since, and when the present
 * life looked the share did not show yet how far the former one had come (R1).
 */
function isPutBack({ now_ms, state }: Context, { newest_read_ms }: HostFacts): boolean {
  return now_ms - newest_read_ms >= state.profile.expire_ms
}

function takeUp(context: Context, host: HostFacts, seen: LeaseRecord): void {
  const former = host.lease
  host.lease = seen
  host.older = undefined
  if (former?.generation !== seen.generation) {
    host.generation_since_ms = context.now_ms
    const watch = context.state.watches.get(host.name)
    if (watch) watch.service = { ...watch.service, good_seen: false, good_rounds: 0 }
  }
  if (former && seen.generation !== former.generation) context.because(`${host.name}_has_generation_${seen.generation}`)
  if (former && seen.standing !== former.standing) context.because(`${host.name}_is_${seen.standing}`)
}

export function noteClaim(context: Context, name: string, claim: ClaimRecord): void {
  const { state } = context
  const facts = state.functions.get(name)
  if (!facts || (facts.claim && facts.claim.epoch >= claim.epoch)) return
  // A holder that is not, or not yet, in the inventory: its silence counts from here on.
  if (!state.hosts.has(claim.holder)) state.hosts.set(claim.holder, newHostFacts(claim.holder, context.now_ms))
  // Programs before this one wrote `virtual` of an own server to which a leaving host had handed its function, and such a claim may stand for long:
  // taken at its word it would be claimed by silence while that server rides (R8).
  const kind = kindAt(claim.holder, name)
  noteHomecoming(context, facts, claim)
  noteSignOfLife(context, claim)
  facts.claim = { ...claim, kind }
  if (kind === 'native') facts.overload_restarts = 0
  facts.release = undefined
  facts.since_ms = context.now_ms
}

/**
 * A read takes the leases first and the claims after them, and may be slow. A claim under a generation newer than the lease it showed says that the holder has
 * renewed in between: the silence it also showed is over (S6).
 */
function noteSignOfLife(context: Context, { holder, generation }: ClaimRecord): void {
  const host = context.state.hosts.get(holder)
  if (!host || generation <= (host.lease?.generation ?? 0)) return
  host.lease_since_ms = context.now_ms
  host.lease_silent_ms = 0
}

/** Homecomings count towards flapping for an hour (protocol 6); more than these change nothing. */
export const FLAPPING_WINDOW_MS = 3_600_000
const HOMECOMINGS_LIMIT = 16

/** What stood on the share when this host first looked tells nothing about when it happened. */
function noteHomecoming(context: Context, facts: FunctionFacts, claim: ClaimRecord): void {
  if (!facts.claim || claim.holder !== facts.name || claim.proof !== 'hand-over') return
  // It was away on purpose: its last holder had been handed the function.
  if (facts.claim.proof === 'hand-over') return
  facts.came_home_ms = [...facts.came_home_ms, context.now_ms].filter(at_ms => context.now_ms - at_ms < FLAPPING_WINDOW_MS).slice(-HOMECOMINGS_LIMIT)
}

/** A function that was given for this long had started well. */
const STARTED_WELL_MS = 60_000

function noteRelease(context: Context, facts: FunctionFacts, release: ReleaseRecord): void {
  facts.release = release
  if (release.how !== 'not-started') return
  facts.failed_starts = context.now_ms - facts.since_ms > STARTED_WELL_MS ? 1 : facts.failed_starts + 1
  facts.failed_ms = context.now_ms
}

export function noteObservation(context: Context, started_ms: number, observation: Observation): void {
  const { state, now_ms } = context
  const gap = started_ms - state.share.last_returned_ms > 2 * state.profile.renew_ms
  if (!state.share.good) context.because('Shared_area_is_readable')
  state.share.good = true
  state.share.outstanding_ms = undefined
  state.share.last_returned_ms = now_ms
  const leases = new Map(observation.leases.map(lease => [lease.host, lease]))
  // What an agent that once ran there has left is no word of this target.
  for (const host of state.hosts.values()) if (!isAgentless(state, host.name)) noteLease(context, host, leases.get(host.name), started_ms, gap)
  for (const { claim, release } of observation.claims) {
    if (!state.functions.has(claim.function)) continue
    noteClaim(context, claim.function, claim)
    const facts = functionOf(state, claim.function)
    if (release && facts.claim?.epoch === release.epoch && !facts.release) noteRelease(context, facts, release)
  }
  noteOrders(context, observation.orders)
  notePills(state, observation.pills ?? [])
}

export function noteObservationFailed(context: Context, reason: string): void {
  const { share, profile } = context.state
  share.outstanding_ms = undefined
  if (share.good && context.now_ms - share.last_returned_ms > 2 * profile.renew_ms) {
    share.good = false
    context.because(`Shared_area_does_not_answer: ${reason}; no takeover until it does, own function goes on while ${whoPromises(context.state)}`, { level: 'alarm' })
  }
}
