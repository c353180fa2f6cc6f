/**
 * The pill (protocol 5): a host that renews and that nobody reaches is asked on the shared area whether it is alone. The question is a hint and
 * proves nothing: whether anything is released is decided by the one who is asked, by what it hears itself.
 */
import { isAgentless } from './appliance.ts'
import type { Context } from './context.ts'
import { claimsHeldBy, hostOf } from './context.ts'
import { stopGiving } from './giving.ts'
import { isSlow } from './local-health.ts'
import { isHeld, leavingReason } from './orders.ts'
import { graceEnds_ms, inGoodStanding, isMember, renewingUnheard, renewsUnheard } from './presence.ts'
import type { PillRecord } from './records.ts'
import type { State, Watch } from './state.ts'

/** A question is over when its host has renewed so often since: no clock is compared, and none of last week's is obeyed. */
const PILL_RENEWALS = 20
/** Asked again before that, as long as there is reason to. */
const ASK_AGAIN_RENEWALS = 10
/** A manager asks no sooner than others have looked as well, lately. */
const DENIED_INTERVALS = 3
/** So long must a host have been alone before it lets go: a short outage does nothing. */
const HOLD_INTERVALS = 5
const LEAST_HOLD_MS = 5_000
/** Questions to the gateway in a row, one each interval, each of several packets. */
const GATEWAY_MISSES = 3

/** Why a host stops what it gives. */
export const ALONE = 'this host hears nobody, others renew and cannot reach it: no client is served from here'

/** As the share says; what could not be read again stands no longer than its own renewals. */
export function notePills(state: State, pills: readonly PillRecord[]): void {
  state.pills.clear()
  for (const pill of pills) if (state.order.includes(pill.host)) state.pills.set(pill.host, pill)
}

function renewalsSince(state: State, pill: PillRecord): number {
  const { generation, sequence } = pill.host === state.self ? state.own : hostOf(state, pill.host).lease ?? { generation: 0, sequence: 0 }
  return generation === pill.generation && sequence >= pill.sequence ? sequence - pill.sequence : Infinity
}

/** Another host that was asked to look reached the target, or said that it did not. */
export function noteLookedElsewhere(context: Context, target: string, answered: boolean): void {
  const watch = context.state.watches.get(target)
  if (!watch) return
  if (answered) watch.elsewhere = { heard_ms: context.now_ms, denied_ms: -Infinity }
  else watch.elsewhere = { ...watch.elsewhere, denied_ms: context.now_ms }
}

/** At the manager, whose target renews and is unreachable from here and from those it asked. */
export function askWhetherAlone(context: Context, watch: Watch): void {
  const { state, now_ms } = context
  const { target, elsewhere } = watch
  const lately_ms = now_ms - DENIED_INTERVALS * state.inventory.interval_ms
  const { lease, reachable } = hostOf(state, target)
  if (!lease || reachable || !renewsUnheard(state, target, now_ms)) return
  if (isHeld(state) || leavingReason(state, target) !== undefined || !context.due(graceEnds_ms(state)) || claimsHeldBy(state, target).length === 0) return
  // Who hears nobody itself has nothing to ask, unless clients reach it by the gateway.
  const denied = hearsAnother(state, target) ? elsewhere.heard_ms < lately_ms && elsewhere.denied_ms >= lately_ms : reachesGateway(state, now_ms)
  if (!denied) return
  const standing = state.pills.get(target)
  if (standing && renewalsSince(state, standing) < ASK_AGAIN_RENEWALS) return
  if (lease.generation === watch.asked?.generation && lease.sequence - watch.asked.sequence < ASK_AGAIN_RENEWALS) return
  if (!watch.asked) context.because(`Ask_${target}_on_the_shared_area_whether_it_is_alone: it renews, and neither this host nor others reach it`, { level: 'warning', incident: watch.incident })
  watch.asked = { generation: lease.generation, sequence: lease.sequence }
  context.do({ command: 'pill', order: { host: target, generation: lease.generation, sequence: lease.sequence, by: state.self } })
}

function hearsAnother(state: State, target: string): boolean {
  return state.order.some(name => name !== state.self && name !== target && !state.without_agent.has(name) && isMember(state, name) && hostOf(state, name).reachable)
}

/** A question that could not be written is asked again with the next examination. */
export function noteAsked(context: Context, target: string, ok: boolean, detail: string): void {
  if (ok) return
  const watch = context.state.watches.get(target)
  if (watch) watch.asked = undefined
  context.because(`${target}_could_not_be_asked_whether_it_is_alone: ${detail}; it is tried again`, { level: 'warning' })
}

/** The gateway has answered since this host hears nobody, and lately. */
function reachesGateway({ alone, inventory }: State, now_ms: number): boolean {
  return alone !== undefined && now_ms - alone.gateway_heard_ms <= DENIED_INTERVALS * inventory.interval_ms
}

/**
 * Until when this host, which hears nobody while others renew and whom the gateway does not answer, leaves to them what it was to give: as long as one of them asks
 * on the share, and so long from the nomination that one whom the gateway answers comes first. If none comes, somebody has to give it all the same.
 */
export function leavesToOthersUntil_ms(state: State, nominated_ms: number, now_ms: number): number {
  const { alone, inventory } = state
  if (alone === undefined || inventory.gateway === undefined || reachesGateway(state, now_ms)) return -Infinity
  return isAsked(state) ? Infinity : Math.max(alone.since_ms, nominated_ms) + hold_ms(state)
}

/** On the share, lately. */
function isAsked(state: State): boolean {
  const pill = state.pills.get(state.self)
  return pill !== undefined && renewalsSince(state, pill) <= PILL_RENEWALS
}

function hold_ms({ inventory }: State): number {
  return Math.max(HOLD_INTERVALS * inventory.interval_ms, LEAST_HOLD_MS)
}

/**
 * Cut off by what others are heard to say, and not one of the pinged neighbours answers. Of two that renew and do not hear each other only a gateway can tell
 * which of them it is.
 */
function isAlone({ state, now_ms }: Context): boolean {
  const least = state.inventory.gateway === undefined ? 2 : 1
  return renewingUnheard(state, now_ms) >= least && ![...state.watches.values()].some(({ target, ping_seen, ping_missed }) => !isAgentless(state, target) && ping_seen && ping_missed === 0)
}

/** At the host that is asked. It alone decides; without a question it does nothing, and a host that was heard again begins anew. */
export function decidePill(context: Context): void {
  const { state, now_ms } = context
  if (!isAlone(context) || !inGoodStanding(state, now_ms)) return void (state.alone = undefined)
  const alone = state.alone ??= { since_ms: now_ms, gateway_asked_ms: -Infinity, gateway_missed: 0, gateway_heard_ms: -Infinity }
  const { interval_ms, gateway } = state.inventory
  if (gateway !== undefined && context.due(alone.gateway_asked_ms + interval_ms)) {
    alone.gateway_asked_ms = now_ms
    context.do({ command: 'gateway' })
  }
  if (!context.due(alone.since_ms + hold_ms(state))) return
  if (gateway !== undefined && alone.gateway_missed < GATEWAY_MISSES) return
  const pill = state.pills.get(state.self)
  if (!pill || renewalsSince(state, pill) > PILL_RENEWALS) return
  // What a slow host does not hear may have been said.
  if (isSlow(state) || isHeld(state) || state.leaving || !context.due(graceEnds_ms(state))) return
  for (const giving of [...state.giving.values()]) {
    if (giving.stage !== 'serving' && giving.stage !== 'starting') continue
    context.because(`Asked_by_${pill.by}_on_the_shared_area: ${giving.function}_is_released_(${gateway === undefined ? 'no host' : 'neither a host nor the gateway'} was heard for ${Math.round(now_ms - alone.since_ms)} ms)`, { level: 'alarm' })
    giving.release_as = 'goodbye'
    stopGiving(context, giving, ALONE)
  }
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
