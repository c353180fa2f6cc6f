/** A target that is back but whose service is bad cannot have its function again: it is healed in place, rung by rung (thesis background job 2). */
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { isThere } from './appliance.ts'
import { isHeld, leavingReason } from './orders.ts'
import { inGoodStanding } from './presence.ts'
import { mayReboot } from './reboot.ts'
import type { Watch } from './state.ts'

/** Restart, restart, reboot, reboot: then only a person helps, and the ladder begins anew after the pause. */
const LADDER = ['restart-daemon', 'restart-daemon', 'reboot', 'reboot'] as const
const HAND_LIMIT_MS = 10_000
export const NOTHING_TRIED: Watch['readying'] = { rung: 0, ordered_ms: -Infinity, next_ms: -Infinity, obeyed: false }
/** A target that all rungs did not heal is tried again that much later. */
const EXHAUSTED_PAUSE_MS = 600_000

export function decideReadiness(context: Context): void {
  for (const watch of context.state.watches.values()) {
    if (watch.priority === 1 && watch.mode !== 'service recovery') readyTarget(context, watch)
  }
}

function isAwayFromHome(context: Context, target: string): boolean {
  const { claim, release } = functionOf(context.state, target)
  return isThere(context.state, target) && claim !== undefined && (claim.holder !== target || release !== undefined)
}

/** An incident climbs its own ladder; two at once would only disturb each other. A repair that was broken off climbs none. */
function isBeingHealed(context: Context, watch: Watch): boolean {
  const incident = context.state.incidents.get(watch.incident ?? '')
  return incident !== undefined && incident.trouble !== 'St1' && incident.healing.step !== 'up' && incident.healing.step !== 'down'
}

/** A hand has done something on the target. */
export function noteObeyed(watch: Watch): void {
  watch.readying = { ...watch.readying, obeyed: true }
}

/** No hand has reached the target, and its path became good since: what was tried says nothing about it. */
function wasOutOfReach({ readying, path_good_ms }: Watch): boolean {
  return !readying.obeyed && path_good_ms > readying.ordered_ms && path_good_ms !== Infinity
}

function readyTarget(context: Context, watch: Watch): void {
  const { state, now_ms } = context
  const { target, service } = watch
  const needs_nothing = service.verdict === 'OK' || !isAwayFromHome(context, target)
  if (needs_nothing || wasOutOfReach(watch)) watch.readying = NOTHING_TRIED
  if (needs_nothing) return
  if (service.verdict === undefined || isHeld(state) || !inGoodStanding(state, now_ms) || leavingReason(state, target) !== undefined || isBeingHealed(context, watch)) return
  const { reboot_limit_ms, daemons } = serverOf(state, target)
  // After a boot, and after each rung, the daemons get the time a reboot may take.
  const due_ms = Math.max(watch.readying.next_ms, hostOf(state, target).generation_since_ms + reboot_limit_ms)
  if (!context.due(due_ms)) return
  const { readying } = watch
  const verb = LADDER[readying.rung]
  if (verb === 'reboot' && !mayReboot(context, watch, target, due_ms)) return
  if (verb === undefined) {
    context.because(`__${target}_cannot_be_made_ready: ${service.daemon} ${service.detail}; repair it by hand, its function goes on elsewhere`, { level: 'alarm', incident: watch.incident })
    watch.readying = { ...readying, rung: 0, ordered_ms: now_ms, next_ms: now_ms + EXHAUSTED_PAUSE_MS }
    return
  }
  context.because(`__${target}_is_back_and_its_service_is_bad_(${service.daemon}: ${service.detail}): ${verb}`, { level: 'warning', incident: watch.incident })
  watch.readying = { ...readying, rung: readying.rung + 1, ordered_ms: now_ms, next_ms: now_ms + reboot_limit_ms }
  const index = Math.max(0, daemons.findIndex(daemon => daemon.name === service.daemon))
  context.do({ command: 'hand', target, verb, args: verb === 'reboot' ? [] : [String(index)], limit_ms: HAND_LIMIT_MS })
}
