/** Who counts as a host of the live ring, as this host sees it. A differing view costs time, never safety (protocol 2). */
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

/** A condition is told each interval; after three nothing is heard any more. In short intervals a heartbeat's limit is longer. */
const HEARING_INTERVALS = 3
const LEAST_HEARING_MS = 1_000

/**
 * Hears nobody, and two or more hosts go on renewing as it does: the network is lost here, not there, and no client is likely to be reached from here. Of
 * two hosts alone neither can tell which of them it is. Who died renews no more: its last record is read within an interval and two renewals of its last word.
 */
export function isCutOff(state: State, now_ms: number): boolean {
  return renewingUnheard(state, now_ms) >= 2
}

/** How many hosts go on renewing while this one hears nobody at all. */
export function renewingUnheard(state: State, now_ms: number): number {
  const limit_ms = Math.max(HEARING_INTERVALS * state.inventory.interval_ms, LEAST_HEARING_MS)
  let unheard = 0
  for (const name of state.order) {
    if (name === state.self || state.without_agent.has(name)) continue
    const { reachable, condition_ms } = hostOf(state, name)
    if (reachable && now_ms - condition_ms <= limit_ms) return 0
    if (renewsUnheard(state, name, now_ms)) unheard += 1
  }
  return unheard
}

/** Renews, and has done so for longer since its last word than a host that has died can seem to. */
export function renewsUnheard(state: State, name: string, now_ms: number): boolean {
  const { lease_grew_ms, condition_ms } = hostOf(state, name)
  return isRenewing(state, name, now_ms) && lease_grew_ms - condition_ms > state.inventory.interval_ms + 2 * state.profile.renew_ms
}

/** Has ever joined and is managed; only such a host can be missed. */
export function isMember(state: State, name: string): boolean {
  return name === state.self || hostOf(state, name).lease?.standing === 'member'
}

/** Whether every host of the ring is here now: each was seen to renew, for a record alone may be of last week. */
export function isWhole(state: State): boolean {
  return state.order.every(name => name === state.self || state.without_agent.has(name) || (hostOf(state, name).lease_grew_ms > -Infinity && isPresent(state, name)))
}

/** Cold start: nobody is accused until the ring was whole once or three expiries have passed (protocol 5.8). */
export function graceEnds_ms(state: State): number {
  return state.was_whole ? -Infinity : state.started_ms + 3 * state.profile.expire_ms
}

/** Renews and reads: what it knows of claims is true, and what it writes is read. Others count who does not as absent, and act in its place. */
export function inGoodStanding(state: State, now_ms: number): boolean {
  return ownLeaseGood(state, now_ms) && shareFresh(state, now_ms)
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
