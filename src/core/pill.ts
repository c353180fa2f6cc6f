/**
 * The pill (protocol 5): a host that renews and that nobody reaches is asked on the shared area whether it is alone. The question is a hint and
 * proves nothing: whether anything is released is decided by the one who is asked, by what it hears itself.
 */
import { hold_ms, questionHere, reachesGateway, renewalsSince, renewsUnheard } from './alone.ts'
import type { Context } from './context.ts'
import { claimsHeldBy, hostOf } from './context.ts'
import { stopGiving } from './giving.ts'
import { isSlow } from './local-health.ts'
import { isHeld, leavingReason } from './orders.ts'
import { graceEnds_ms, isMember } from './presence.ts'
import type { PillRecord } from './records.ts'
import type { State, Watch } from './state.ts'

/** Asked again before that, as long as there is reason to. */
const ASK_AGAIN_RENEWALS = 10
/** A manager asks no sooner than others have looked as well, lately. */
const DENIED_INTERVALS = 3
/** Questions to the gateway in a row, one each interval, each of several packets. */
const GATEWAY_MISSES = 3

/** Why a host stops what it gives. */
export const ALONE = 'this host hears nobody, others renew and cannot reach it: no client is served from here'

/** As the share says; what could not be read again stands no longer than its own renewals. */
export function notePills(state: State, pills: readonly PillRecord[]): void {
  state.pills.clear()
  for (const pill of pills) if (state.order.includes(pill.host)) state.pills.set(pill.host, pill)
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

/** At the host that is asked. It alone decides; without a question it does nothing. */
export function decidePill(context: Context): void {
  const { state, now_ms } = context
  const { alone, inventory: { interval_ms, gateway } } = state
  if (alone === undefined || !context.due(alone.unreached_ms + hold_ms(interval_ms))) return
  if (gateway !== undefined && alone.gateway_missed < GATEWAY_MISSES) return
  const pill = questionHere(state)
  if (!pill) return
  // What a slow host does not hear may have been said.
  if (isSlow(state) || isHeld(state) || state.leaving || !context.due(graceEnds_ms(state))) return
  for (const giving of [...state.giving.values()]) {
    if (giving.stage !== 'serving' && giving.stage !== 'starting') continue
    context.because(`Asked_by_${pill.by}_on_the_shared_area: ${giving.function}_is_released_(${gateway === undefined ? 'no host' : 'neither a host nor the gateway'} was heard for ${Math.round(now_ms - alone.unreached_ms)} ms)`, { level: 'alarm' })
    giving.release_as = 'goodbye'
    stopGiving(context, giving, ALONE)
  }
}
