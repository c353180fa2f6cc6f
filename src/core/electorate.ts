/**
 * R9, joining and leaving for good. Hosts learn of a new inventory seconds apart, so two of them may differ about who belongs to the ring.
 * R8 is safe only if whoever may claim by silence has been asked for a promise. Hence each lease lists whom its host asks (its electorate), and
 *
 * - a host claims by silence only if the last lease of the holder that it has seen lists it, or lists nobody (such a host does not ride);
 * - a host that rides needs promises from those it asks now *and* from every name that a record of its own on the share may still list.
 *
 * Who joins is therefore asked before it may claim: it is asked before the first record that lists it is written. Who is taken out is
 * asked until a shorter record has been acknowledged: a read that is still longer by then is older than that renewal, and silence for D_exp
 * in such a read means that the lease was lost before and ridden on; the promise asked for then outlives the read's worth (2r).
 */
import type { Context } from './context.ts'
import { listsJust, type ClaimRecord } from './records.ts'
import type { State } from './state.ts'

/**
 * Whom this host asks for promises: everybody in the published ring who has ever started and has not been taken from management since. A server without a
 * lease, or with one that says `unmanaged`, could not answer, and would end all rides; when it starts it is listed with the next renewal, and claims nothing that
 * could ride before. A `goodbye` counts: who reboots is back in a minute, and may then be the only one left to take over.
 */
export function asked(state: State): string[] {
  return state.order.filter(name => name !== state.self && (state.hosts.get(name)?.lease?.standing ?? 'unmanaged') !== 'unmanaged')
}

/**
 * R8 by majority: how many of so many others may be missing in a ride. Of five, three must promise, and a claim by silence needs three that have not (consent.ts):
 * both at once cannot be. None may be missing of one other: two hosts ride as by the first policy.
 */
export function mayMiss({ inventory }: Pick<State, 'inventory'>, others: number): number {
  return inventory.ride === 'majority' ? Math.floor(others / 2) : 0
}

/** Who must promise before this host rides, but for as many as may be missing: by the ring as it is *and* by each record. */
export function promisesNeeded(state: State): string[] {
  return [...new Set([...asked(state), ...state.own.electorate ?? []])].filter(name => name !== state.self)
}

export function promisesSpared(state: State): number {
  return Math.min(mayMiss(state, asked(state).length), state.own.may_miss ?? 0)
}

/** For people. */
export const whoPromises = ({ inventory }: Pick<State, 'inventory'>): string => inventory.ride === 'majority' ? 'enough others promise' : 'all others promise'

/** Who is asked: beside those, whoever is there and not asked yet, so that a manager that has just joined knows of the ride and begins nothing in vain. */
export function toldOfRide(state: State): string[] {
  return [...new Set([...promisesNeeded(state), ...state.order.filter(name => state.hosts.get(name)?.reachable)])].filter(name => name !== state.self)
}

/** Whether `claimer` is among those whom the holder asks before it rides. A virtual server does not ride: whose host is silent, anybody may claim it. */
export function isAsked(state: State, { holder, kind }: ClaimRecord, claimer: string): boolean {
  if (kind === 'virtual') return true
  const electorate = state.hosts.get(holder)?.lease?.electorate
  return electorate === undefined || electorate.includes(claimer)
}

export function notAsked(holder: string, claimer: string): string {
  return `${holder} does not ask ${claimer} for promises (the ring changed before its last lease): no claim by silence`
}

/** The guard writes it into the lease; told again until its records say so. */
export function decideElectorate(context: Context): void {
  const { state } = context
  // Before the first read nobody's lease is known.
  if (state.share.last_returned_ms === -Infinity) return
  const names = asked(state)
  const may_miss = mayMiss(state, names.length)
  if (listsJust(state.own.electorate, names) && (state.own.may_miss ?? 0) === may_miss) return
  if (!context.due(state.electorate_told_ms + state.profile.renew_ms)) return
  state.electorate_told_ms = context.now_ms
  context.do({ command: 'electorate', names, ...may_miss > 0 ? { may_miss } : {} })
}
