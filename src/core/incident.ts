/** The record of one trouble, from its detection until the layout is policy again. */
import type { Outcome, Trouble } from './trouble.ts'
import { applianceServes, hasNoLease, isThere } from './appliance.ts'
import type { Context } from './context.ts'
import { claimsHeldBy, functionOf, hostOf, serverOf } from './context.ts'
import { predict, type Prediction } from './prediction.ts'
import { stampOf } from './stamp.ts'
import { leavingReason } from './orders.ts'
import { isPresent } from './presence.ts'
import { isKeptUnmanaged } from './right-to-claim.ts'
import type { Incident, State } from './state.ts'

export function openIncident(context: Context, target: string, trouble: Trouble, why: string, detected_ms = context.now_ms): Incident {
  const { state, now_ms } = context
  const existing = [...state.incidents.values()].find(incident => incident.target === target)
  if (existing) {
    // A bad service turned out to be a lost host: daemons go before the network when a host shuts down.
    const was_service = existing.trouble === 'St1' || (existing.trouble === 'St2' && !functionOf(state, target).release)
    if (was_service && trouble !== 'St1') {
      changeTrouble(context, existing, trouble, trouble === 'leave' ? 'it leaves' : 'the whole target is lost', why)
      existing.healing = firstHealing(context, target, trouble)
    }
    return existing
  }
  const functions = new Map([...state.functions.values()].flatMap(({ name, claim }) => (claim?.holder === target && state.order.includes(name) ? [[name, claim.epoch] as const] : [])))
  const incident: Incident = {
    id: `${stampOf(now_ms + state.wall_offset_ms)}-${target}-${state.self}`, target, trouble, detected_ms, functions,
    healing: firstHealing(context, target, trouble), target_generation: knownGeneration(state, target),
    predicted: predictionFor(context, target, trouble), function_ms: undefined, target_ms: undefined, restored: new Set(),
  }
  state.incidents.set(incident.id, incident)
  const watch = state.watches.get(target)
  if (watch) watch.incident = incident.id
  context.record(incident, 'detected', { trouble, manager: state.self, detail: why, predicted: incident.predicted })
  return incident
}

/** A claim may be read before the lease it was made under, when its host reports on it at once. */
export function knownGeneration(state: State, target: string): number {
  return Math.max(hostOf(state, target).lease?.generation ?? 0, ...claimsHeldBy(state, target).map(({ generation }) => generation))
}

/** Background job 1 begins by waiting: the target may be just rebooting (thesis 5.3.1). */
export function firstHealing(context: Context, target: string, trouble: Trouble): Incident['healing'] {
  const { state, now_ms } = context
  const until_ms = now_ms + serverOf(state, target).reboot_limit_ms
  const leaving = leavingReason(state, target)
  // Who goes on purpose is not called back; who said that it reboots should be here again in the time a reboot takes.
  if (leaving !== undefined && leaving !== 'reboot') return { step: 'away', until_ms: Infinity, reboots: 0, wakes: 0 }
  // A target that is there needs no healing, unless its service turns out to need a reboot.
  return { step: isPresent(state, target) && trouble === 'host' ? 'up' : 'wait for reboot', until_ms, reboots: 0, wakes: 0 }
}

function predictionFor({ state }: Context, target: string, trouble: Trouble): Prediction {
  return predict(trouble, state.profile, state.inventory.interval_ms, hostOf(state, target).lease_silent_ms, serverOf(state, target).reboot_limit_ms, state.power.get(target)?.off !== undefined)
}

/** A trouble turned out to be another one: its record says so, and what is to be expected now. */
export function changeTrouble(context: Context, incident: Incident, trouble: Trouble, stage: string, detail: string): void {
  const predicted = predictionFor(context, incident.target, trouble)
  incident.trouble = trouble
  // What was expected of the function counts from the detection; only a change before the takeover changes it.
  incident.predicted = stage === 'wake ordered' ? { ...incident.predicted, target_ms: predicted.target_ms } : predicted
  context.record(incident, stage, { trouble, detail, predicted: incident.predicted })
}

export function closeIncident(context: Context, incident: Incident, outcome: Outcome, why: string): void {
  const { state } = context
  const target_ms = incident.target_ms ?? (isThere(state, incident.target) ? Math.round(context.now_ms - incident.detected_ms) : undefined)
  if (outcome === 'repaired' || outcome === 'returned') context.record(incident, 'target restored', { detail: why })
  context.record(incident, 'closed', {
    detail: why, trouble: incident.trouble, outcome,
    ...(incident.function_ms === undefined ? {} : { function_ms: incident.function_ms }), ...(target_ms === undefined ? {} : { target_ms }),
  })
  context.because(`End_of_incident_(${incident.target}): ${why}`, { incident: incident.id })
  state.incidents.delete(incident.id)
  for (const watch of state.watches.values()) if (watch.incident === incident.id) watch.incident = undefined
  state.condition_due = true
}

/** Who serves a function, as far as this host knows: the newest claim's holder, and it says so itself. */
export function giverOf(context: Pick<Context, 'state'>, name: string): string | undefined {
  const { state } = context
  const { claim, release } = functionOf(state, name)
  if (!claim || release) return undefined
  if (hasNoLease(state, claim)) return applianceServes(state, claim.holder) ? claim.holder : undefined
  const given = claim.holder === state.self
    ? state.giving.get(name)
    : hostOf(state, claim.holder).condition?.giving.find(entry => entry.function === name)
  if (given?.stage !== 'serving' || given.epoch !== claim.epoch) return undefined
  return isPresent(state, claim.holder) || isKeptUnmanaged(state, claim) ? claim.holder : undefined
}

/** A function of the incident is served again under a later epoch. */
export function noteRestored(context: Context, incident: Incident): void {
  for (const [name, epoch] of incident.functions) {
    if (incident.restored.has(name)) continue
    const { claim } = functionOf(context.state, name)
    const giver = giverOf(context, name)
    if (!claim || claim.epoch <= epoch || giver === undefined) continue
    incident.restored.add(name)
    incident.function_ms ??= Math.round(context.now_ms - incident.detected_ms)
    context.because(`Function_of_${name}_is_given_again_by_${giver}_(epoch_${claim.epoch})`, { incident: incident.id })
    context.record(incident, 'function given', { function_ms: incident.function_ms, detail: `${name} by ${giver}` })
  }
}

export function allRestored(incident: Incident): boolean {
  return [...incident.functions.keys()].every(name => incident.restored.has(name))
}
