/**
 * A host that hears nobody while others renew: the network is lost here, or there. It leaves to the others what it was to give, and lets go of what it gives when it is
 * asked (pill.ts).
 */
import type { Context } from './context.ts'
import { hostOf } from './context.ts'
import { isSlow } from './local-health.ts'
import { inGoodStanding, isRenewing } from './presence.ts'
import type { PillRecord } from './records.ts'
import type { State } from './state.ts'

/** A condition is told each interval; after three nothing is heard any more. In short intervals a heartbeat's limit is longer. */
const HEARING_INTERVALS = 3
const LEAST_HEARING_MS = 1_000
/** So long must a host have been alone before it lets go, or takes what nobody else does: a short outage does nothing. */
const HOLD_INTERVALS = 5
const LEAST_HOLD_MS = 5_000
/** The gateway is asked each interval while alone; its answer counts for so long. */
const GATEWAY_INTERVALS = 3
/** A question is over when its host has renewed so often since: no clock is compared, and none of last week's is obeyed. */
const PILL_RENEWALS = 20

/**
 * Two or more hosts go on renewing as it does, and none of them is heard: the fault is here, not there. Of two that do not hear each other only a gateway can tell
 * which of them it is. Who died renews no more: its last record is read within an interval and two renewals of its last word.
 */
function hearsNobody({ inventory }: State, unheard: number): boolean {
  return unheard >= (inventory.gateway === undefined ? 2 : 1)
}

/** How many hosts go on renewing while this one hears nobody at all. */
function renewingUnheard(state: State, now_ms: number): number {
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

/** By a ping, which a host answers whose agent stands still or has another key: clients are reached as well. */
function reachesNeighbour({ watches, without_agent }: State): boolean {
  for (const { target, ping_seen, ping_missed } of watches.values()) if (!without_agent.has(target) && ping_seen && ping_missed === 0) return true
  return false
}

/** A host that was heard again begins anew. */
export function decideAlone(context: Context): void {
  const { state, now_ms } = context
  const unheard = renewingUnheard(state, now_ms)
  if (!hearsNobody(state, unheard) || !inGoodStanding(state, now_ms)) return void (state.alone = undefined)
  const alone = state.alone ??= { since_ms: now_ms, unheard, unreached_ms: Infinity, asked: false, gateway_asked_ms: -Infinity, gateway_missed: 0, gateway_heard_ms: -Infinity }
  alone.unheard = unheard
  alone.unreached_ms = reachesNeighbour(state) ? Infinity : Math.min(alone.unreached_ms, now_ms)
  alone.asked ||= questionHere(state) !== undefined
  const { interval_ms, gateway } = state.inventory
  if (gateway === undefined || !context.due(alone.gateway_asked_ms + interval_ms)) return
  alone.gateway_asked_ms = now_ms
  context.do({ command: 'gateway' })
}

/** The question whether it is alone that stands on the share, of lately: somebody who hears others reaches this host as little as it reaches them. */
export function questionHere(state: State): PillRecord | undefined {
  const pill = state.pills.get(state.self)
  return pill && renewalsSince(state, pill) <= PILL_RENEWALS ? pill : undefined
}

export function renewalsSince(state: State, pill: PillRecord): number {
  const { generation, sequence } = pill.host === state.self ? state.own : hostOf(state, pill.host).lease ?? { generation: 0, sequence: 0 }
  return generation === pill.generation && sequence >= pill.sequence ? sequence - pill.sequence : Infinity
}

/** The gateway answered, or none of several packets came back. A slow host's silence counts for nothing. */
export function noteGateway(context: Context, answered: boolean): void {
  const { alone } = context.state
  if (!alone) return
  if (answered) {
    alone.gateway_missed = 0
    alone.gateway_heard_ms = context.now_ms
  } else if (!isSlow(context.state)) alone.gateway_missed += 1
}

/** The gateway has answered since this host hears nobody, and lately. */
export function reachesGateway({ alone, inventory }: State, now_ms: number): boolean {
  return alone !== undefined && now_ms - alone.gateway_heard_ms <= GATEWAY_INTERVALS * inventory.interval_ms
}

/**
 * Until when this host leaves to others what it was to give. Two or more who renew may hear one another: one of them comes first. Of the last two the one whom the
 * gateway answers acts at once. Where it stays silent this host may be cut off from clients too: it waits longer, and once it was asked on the share, until it hears
 * somebody. If none comes, somebody has to give it all the same: all may have lost one another.
 */
export function leavesToOthersUntil_ms(state: State, nominated_ms: number, now_ms: number): number {
  const { alone, inventory: { gateway, interval_ms } } = state
  if (alone === undefined) return -Infinity
  const reached = reachesGateway(state, now_ms)
  if (!reached && alone.asked) return Infinity
  if (reached && alone.unheard < 2) return -Infinity
  const holds = gateway !== undefined && !reached && alone.unheard >= 2 ? 2 : 1
  return Math.max(alone.since_ms, nominated_ms) + holds * hold_ms(interval_ms)
}

export function hold_ms(interval_ms: number): number {
  return Math.max(HOLD_INTERVALS * interval_ms, LEAST_HOLD_MS)
}
