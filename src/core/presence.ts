/** Who counts as a host of the live ring, as this host sees it. A differing view costs time, never safety (protocol 1). */
import type { State } from './state.ts'
import { hostOf } from './context.ts'

export function ownLeaseGood(state: State, now_ms: number, margin_ms = 0): boolean {
  return state.own.generation > 0 && state.own.deadline_ms - now_ms > margin_ms
}

/**
 * Joined, managed, and renewing: silent for less than D_stop. Who was missing is present again when its lease grows, not when a slow look at the share
 * makes its silence count anew.
 */
export function isPresent(state: State, name: string): boolean {
  if (name === state.self) return true
  const { lease, lease_silent_ms, missing } = hostOf(state, name)
  return lease !== undefined && lease.standing === 'member' && !missing && lease_silent_ms < state.profile.stop_ms
}

/** Seen to renew lately, not merely "not silent for long": after a share outage silence is counted from zero for the dead as well. */
export function isRenewing(state: State, name: string, now_ms: number): boolean {
  return name === state.self || (isPresent(state, name) && now_ms - hostOf(state, name).lease_grew_ms < state.profile.stop_ms)
}

/** Two renewals of its lease have not been seen. Nobody is lost by that alone, and nothing that lives is shown by less. */
export function missesRenewals(state: State, name: string): boolean {
  return hostOf(state, name).lease_silent_ms >= 2 * state.profile.renew_ms
}

/** Has ever joined and is managed; only such a host can be missed. */
export function isMember(state: State, name: string): boolean {
  return name === state.self || hostOf(state, name).lease?.standing === 'member'
}

/** Whether every host of the ring is here now: each was seen to renew, for a record alone may be of last week. */
export function isWhole(state: State): boolean {
  return state.order.every(name => name === state.self || state.without_agent.has(name) || (hostOf(state, name).lease_grew_ms > -Infinity && isPresent(state, name)))
}

/** Cold start: nobody is accused until the ring was whole once or three expiries have passed (R10). */
export function graceEnds_ms(state: State): number {
  return state.was_whole ? -Infinity : state.started_ms + 3 * state.profile.expire_ms
}

/** Renews and reads: what it knows of claims is true, and what it writes is read. Others count who does not as absent, and act in its place. */
export function inGoodStanding(state: State, now_ms: number, margin_ms = 0): boolean {
  return ownLeaseGood(state, now_ms, margin_ms) && shareFresh(state, now_ms)
}

/** When the last good read was issued: the silence of a lease counts until then. */
export function silentUntil_ms(state: State, name: string): number {
  const { lease_since_ms, lease_silent_ms } = hostOf(state, name)
  return lease_since_ms + lease_silent_ms
}

/** The share was read lately enough to act on. */
export function shareFresh(state: State, now_ms: number): boolean {
  return now_ms - state.share.last_returned_ms <= 2 * state.profile.renew_ms + 1
}
