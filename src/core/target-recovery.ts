/** Target server recovery and the background jobs that heal the target in their own time (thesis 5.3.1, protocol 6). */
import { applianceServes, isAgentless, isThere } from './appliance.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { allRestored, changeTrouble, closeIncident, firstHealing, giverOf, knownGeneration, noteRestored, openIncident } from './incident.ts'
import { enterMode, tellP2 } from './mode.ts'
import { isHeld, leavingReason } from './orders.ts'
import { isOffAndReplaced } from './power.ts'
import { inGoodStanding, isMember, isPresent, missesRenewals } from './presence.ts'
import { decideReturns } from './returning.ts'
import type { Incident, State } from './state.ts'
import { mayReboot } from './reboot.ts'
import { withdrawNomination } from './rehoming.ts'

/** Rungs of the ladder are bounded: after as many the target is reported down, and the virtual server goes on. */
export const WAKE_ATTEMPTS = 3
const REBOOT_ATTEMPTS = 2
const REBOOT_LIMIT_MS = 5_000

export function decideTargetRecovery(context: Context): void {
  for (const incident of [...context.state.incidents.values()]) {
    noteRestored(context, incident)
    if (!context.state.incidents.has(incident.id)) continue
    if (isFalseAlarm(context.state, incident)) endFalseAlarm(context, incident)
    else {
      decideHealing(context, incident)
      decideEnd(context, incident)
    }
  }
  decideReturns(context)
}

/** The target renews under the same generation and nothing was taken from it; nor is it off by its controller's word, which stands until it renews again. */
function isFalseAlarm(state: State, incident: Incident): boolean {
  if (incident.trouble === 'St1' || incident.trouble === 'St2' || state.power.get(incident.target)?.off !== undefined) return false
  if (leavingReason(state, incident.target) !== undefined) return false
  const { lease } = hostOf(state, incident.target)
  const watch = state.watches.get(incident.target)
  const untouched = [...incident.functions].every(([name, epoch]) => {
    const { claim, release } = functionOf(state, name)
    // A function that a former member of the ring gave is the function's own matter: its server's renewals say nothing.
    return claim?.epoch === epoch && claim.holder === incident.target && !release
  })
  if (isAgentless(state, incident.target)) return untouched && applianceServes(state, incident.target)
  return untouched && lease?.generation === incident.target_generation && !missesRenewals(state, incident.target) && isThere(state, incident.target)
    && (watch === undefined || watch.ping_missed === 0)
}

function endFalseAlarm(context: Context, incident: Incident): void {
  const { state } = context
  const why = isAgentless(state, incident.target) ? 'the target serves again' : 'the target renews its lease again'
  for (const rehoming of [...state.rehoming.values()]) if (rehoming.incident === incident.id) withdrawNomination(context, rehoming, why)
  const watch = state.watches.get(incident.target)
  if (watch) tellP2(context, watch, 'R')
  closeIncident(context, incident, 'resumed', 'the target answered again before anything was taken over')
  if (watch) enterMode(context, watch, 'regular', why)
}

function decideHealing(context: Context, incident: Incident): void {
  const { healing } = incident
  const { state } = context
  if (incident.trouble === 'St1' || isHeld(state)) return
  if (healing.step === 'up') return healAgain(context, incident)
  // A reboot begins when the host has gone, not when it said that it would.
  if (incident.trouble === 'leave' && leavingReason(state, incident.target) !== undefined && isPresent(state, incident.target)) {
    incident.healing = firstHealing(context, incident.target, incident.trouble)
    return
  }
  if (isUp(state, incident)) return targetUp(context, incident)
  if (healing.step === 'away' && leavingReason(state, incident.target) === undefined) return endOfAbsence(context, incident)
  // A machine that is off does not reboot by itself.
  if (healing.step === 'wait for reboot' && isOffAndReplaced(context, incident)) return wake(context, incident)
  if (healing.step === 'down' || healing.step === 'away' || !context.due(healing.until_ms)) return
  const reboots = healing.step === 'reboot' || (incident.trouble === 'St2' && healing.reboots < REBOOT_ATTEMPTS && isThere(state, incident.target))
  if (!reboots) return wake(context, incident)
  // Who does not read the share knows of a target what is long past: it may have healed, and others manage it.
  if (inGoodStanding(state, context.now_ms) && mayReboot(context, state.watches.get(incident.target), incident.target, healing.until_ms)) reboot(context, incident)
}

/** The maintenance is over, or it has booted again: from now on it is a target like any other. */
function endOfAbsence(context: Context, incident: Incident): void {
  const there = isPresent(context.state, incident.target)
  incident.healing = there ? { ...incident.healing, step: 'up' } : firstHealing(context, incident.target, incident.trouble)
}

function isUnmanaged(state: State, target: string): boolean {
  return !isAgentless(state, target) && !isMember(state, target) && hostOf(state, target).lease?.standing !== 'goodbye'
}

/** The target was up and went away again before it gave its function: the ladder starts anew. */
function healAgain(context: Context, incident: Incident): void {
  const { state } = context
  if (isThere(state, incident.target)) return
  incident.target_generation = knownGeneration(state, incident.target)
  incident.target_ms = undefined
  incident.healing = firstHealing(context, incident.target, incident.trouble)
  const leaving = leavingReason(state, incident.target)
  if (leaving === undefined) context.because(`__${incident.target}_went_away_again`, { level: 'alarm', incident: incident.id })
  else context.because(`__${incident.target}_is_away_again_(${leaving})`, { incident: incident.id })
  context.record(incident, 'target lost again')
}

function isUp(state: State, incident: Incident): boolean {
  const generation = hostOf(state, incident.target).lease?.generation ?? 0
  const good_rounds = state.watches.get(incident.target)?.service.good_rounds ?? 0
  const new_life = isAgentless(state, incident.target) || generation > incident.target_generation
  return isThere(state, incident.target) && (new_life || needsNoReboot(state, incident)) && good_rounds > 0
}

/** Its VIP is off for its bad service, and it lives: once that is good again, by itself or by a person's hand, there is nothing to reboot. */
function needsNoReboot(state: State, { target, trouble, healing }: Incident): boolean {
  return trouble === 'St2' && healing.step !== 'wait for reboot' && !missesRenewals(state, target)
}

function targetUp(context: Context, incident: Incident): void {
  incident.healing.step = 'up'
  incident.target_ms = Math.round(context.now_ms - incident.detected_ms)
  context.because(`__${serverOf(context.state, incident.target).address}_is_normal_(${incident.target})`, { incident: incident.id })
  context.record(incident, 'target up', { target_ms: incident.target_ms })
}

function reboot(context: Context, incident: Incident): void {
  const { healing, target } = incident
  healing.reboots += 1
  healing.step = 'wait for start'
  healing.until_ms = context.now_ms + 2 * serverOf(context.state, target).reboot_limit_ms
  context.because(`__Reboot_${target}_(attempt_${healing.reboots}_of_${REBOOT_ATTEMPTS})`, { incident: incident.id })
  context.record(incident, 'reboot ordered')
  context.do({ command: 'hand', target, verb: 'reboot', args: [], limit_ms: REBOOT_LIMIT_MS })
}

function wake(context: Context, incident: Incident): void {
  const { healing, target } = incident
  const server = serverOf(context.state, target)
  const { wake_on_lan, command } = server.power
  // Without its flag it is in somebody's hands: a person may be working inside it. Who said goodbye for a reboot has its flag.
  if (healing.wakes >= WAKE_ATTEMPTS || (!wake_on_lan && !command) || isUnmanaged(context.state, target)) return targetDown(context, incident)
  healing.wakes += 1
  healing.step = 'wait for start'
  healing.until_ms = context.now_ms + 2 * server.reboot_limit_ms
  const how = [...(wake_on_lan ? ['Wake_on_LAN'] : []), ...(command ? ['Power_on'] : [])].join('_and_')
  context.because(`__${how}_${target}_(${server.mac},_attempt_${healing.wakes}_of_${WAKE_ATTEMPTS})`, { incident: incident.id })
  changeTrouble(context, incident, incident.trouble === 'Nt1' ? 'Nt2' : incident.trouble, 'wake ordered', server.mac)
  if (wake_on_lan) context.do({ command: 'wake', target })
  if (command) context.do({ command: 'power', target, verb: 'on', request: (context.state.counter += 1) })
}

function targetDown(context: Context, incident: Incident): void {
  incident.healing.step = 'down'
  context.because(`__${incident.target}_is_down: it did not come back; its function goes on where it runs until somebody repairs it`, { level: 'alarm', incident: incident.id })
  context.record(incident, 'target down', { outcome: 'down' })
  tellP2(context, { target: incident.target, incident: incident.id }, 'D')
}

/**
 * Some of its functions were given again elsewhere before the target was back; what is left it gives as before, and it goes nowhere. While its service is
 * repaired it does: the order to take the VIP off is on its way, and must not lose who waits for it.
 */
function isHalfAlarm(state: State, incident: Incident): boolean {
  const { target, restored } = incident
  if (state.watches.get(target)?.mode === 'service recovery') return false
  const { lease } = hostOf(state, target)
  if (restored.size === 0 || leavingReason(state, target) !== undefined || lease?.generation !== incident.target_generation || missesRenewals(state, target)) return false
  return [...incident.functions].every(([name, epoch]) => restored.has(name) || (functionOf(state, name).claim?.epoch === epoch && giverOf({ state }, name) === target))
}

function isReleased(state: State, name: string, epoch: number): boolean {
  const { claim, release } = functionOf(state, name)
  return claim?.epoch === epoch && release !== undefined
}

/**
 * The target is back and gives its own function; what else it gave it has released, and those functions' servers are their managers' matter, as with any
 * release. Here they would keep its own service from being repaired as long as one of them is not given again.
 */
function isRestReleased(state: State, { target, functions, restored }: Incident): boolean {
  if (!restored.has(target) || giverOf({ state }, target) !== target || !isThere(state, target)) return false
  return [...functions].every(([name, epoch]) => restored.has(name) || isReleased(state, name, epoch))
}

/** Who looks for a host of what is released still goes on, for an incident of that function's own, which counts from the same detection. */
function passOnRest(context: Context, { id, target, functions, restored, detected_ms }: Incident): void {
  const { state } = context
  for (const [name, epoch] of functions) {
    const rehoming = state.rehoming.get(name)
    if (restored.has(name) || !isReleased(state, name, epoch) || rehoming?.incident !== id) continue
    const own = openIncident(context, name, 'host', `${target} is back and gives it no more`, detected_ms)
    own.functions.set(name, epoch)
    rehoming.incident = own.id
  }
}

/** Over when every function is given again and the target gives its own. */
function decideEnd(context: Context, incident: Incident): void {
  const { state } = context
  const watch = state.watches.get(incident.target)
  if (incident.trouble === 'St1' || !(allRestored(incident) || isHalfAlarm(state, incident) || isRestReleased(state, incident))) return
  if (watch?.incident === incident.id) enterMode(context, watch, 'target recovery', 'the function is given again')
  const { claim } = functionOf(state, incident.target)
  if (claim !== undefined && giverOf(context, incident.target) !== incident.target) return
  if (!isThere(state, incident.target)) return
  passOnRest(context, incident)
  if (watch) tellP2(context, watch, 'U')
  closeIncident(context, incident, 'returned', 'the target is back and gives its function')
  if (watch) enterMode(context, watch, 'regular', 'the target is back and gives its function')
}
