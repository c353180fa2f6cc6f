/**
 * Regular mode and network examination (thesis 5.3.1, protocol 5). P1 and P2 look at the same round; P1 acts, P2 stands by.
 * Evidence leads to an examination at once; only the share's word, read elsewhere, leads to a takeover.
 */
import { isAgentless } from './appliance.ts'
import { decideAppliance, noteApplianceHeard } from './appliance-watch.ts'
import type { Context } from './context.ts'
import { claimsHeldBy, functionOf, hostOf, serverOf } from './context.ts'
import { isSlow, stretched, withhold } from './local-health.ts'
import { enterMode, tellP2 } from './mode.ts'
import { EXAMINATION_LIMIT_MS, EXAMINATION_MS, examine } from './examination.ts'
import { openIncident } from './incident.ts'
import { isHeld, leavingReason } from './orders.ts'
import { notePathBad, notePathGood } from './path.ts'
import { askWhetherAlone } from './pill.ts'
import { graceEnds_ms, isWhole, isMember, isPresent, missesRenewals, ownLeaseGood } from './presence.ts'
import { NOTHING_TRIED } from './readiness.ts'
import { rolesOf } from './ring.ts'
import { decideServiceRecovery, endBrokenOff } from './service-recovery.ts'
import type { SeenAs, State, Watch } from './state.ts'
import type { Trouble } from './trouble.ts'

function newWatch(target: string, priority: 1 | 2, now_ms: number): Watch {
  return {
    target, priority, mode: 'regular', mode_since_ms: now_ms, ping_missed: 0, ping_seen: false, path_good_ms: -Infinity, examination: undefined,
    service: { verdict: undefined, timed_out: false, daemon: '', detail: '', good_rounds: 0, good_seen: false, probing_since_ms: undefined }, repair: undefined, taking_off: undefined, incident: undefined, readying: NOTHING_TRIED, elsewhere: { heard_ms: -Infinity, denied_ms: -Infinity }, asked: undefined, noted: '',
  }
}

/** Follows the ring: redundant watches are dropped, a recovery in progress is not (thesis fig. 5.11). */
export function decideRoles(context: Context): void {
  const { state } = context
  let changed = seesAnotherRing(state) && takeOn(context)
  for (const watch of state.watches.values()) {
    if (watch.incident !== undefined || state.roles.wanted.has(watch.target)) continue
    state.watches.delete(watch.target)
    context.because(`End_of_management_of_${watch.target}`)
    changed = true
  }
  if (!changed) return
  state.condition_due = true
  context.do({ command: 'watch', targets: [...state.watches.keys()].sort() })
}

/** Nothing but the order and who is present or a member decides whom a host manages. */
function seesAnotherRing(state: State): boolean {
  const { order, roles } = state
  for (let index = 0; index < order.length; index += 1) if (roles.seen[index] !== seenAs(state, order[index]!)) return true
  return false
}

function seenAs(state: State, name: string): SeenAs {
  return isPresent(state, name) ? 'present' : isMember(state, name) || isAgentless(state, name) ? 'absent' : 'stranger'
}

/** Whether there is anybody new among those whom this host should manage now. */
function takeOn(context: Context): boolean {
  const { state } = context
  const roles = rolesOf(state.order, state.self, host => isPresent(state, host)).filter(({ target }) => isMember(state, target) || isAgentless(state, target))
  state.roles = { seen: state.order.map(name => seenAs(state, name)), wanted: new Set(roles.map(({ target }) => target)) }
  let any = false
  for (const { target, priority } of roles) {
    const watch = state.watches.get(target)
    if (watch) watch.priority = priority
    else {
      state.watches.set(target, newWatch(target, priority, context.now_ms))
      context.because(`Start_of_management_of_${target}_(priority_${priority})`)
      any = true
    }
  }
  return any
}

function decideRegular(context: Context, watch: Watch): void {
  const { state } = context
  if (!isPresent(state, watch.target)) return loseTarget(context, watch, `its lease has been silent for ${Math.round(hostOf(state, watch.target).lease_silent_ms)} ms`)
  if (watch.ping_seen && watch.ping_missed >= stretched(state, 1)) {
    enterMode(context, watch, 'network examination', `${watch.ping_missed} ping(s) lost`)
    return examine(context, watch)
  }
  endBrokenOff(context, watch)
  if (watch.priority === 1) decideServiceRecovery(context, watch)
}

function decideExamination(context: Context, watch: Watch): void {
  const { state, now_ms } = context
  if (!isPresent(state, watch.target)) return loseTarget(context, watch, `its lease has been silent for ${Math.round(hostOf(state, watch.target).lease_silent_ms)} ms`)
  const { examination } = watch
  if (!examination) return examine(context, watch)
  if (examination.direct) return resume(context, watch, `Network_is_normal_(${watch.target})`)
  if (examination.direct === undefined && !context.due(examination.started_ms + stretched(state, EXAMINATION_LIMIT_MS))) return
  if (!context.due(examination.started_ms + stretched(state, EXAMINATION_MS))) return
  if (watch.ping_missed === 0) return resume(context, watch, `Network_is_normal_(${watch.target})`)
  if (examination.indirect) note(context, watch, `Path_to_${watch.target}_is_broken_here_and_others_reach_it: no takeover`)
  else if (!ownLeaseGood(state, now_ms)) note(context, watch, `${watch.target}_does_not_answer_and_the_own_lease_is_not_good: no accusation from here`)
  else if (isSlow(state)) withhold(context, watch, `${watch.target}_does_not_answer`)
  else if (missesRenewals(state, watch.target) && !mostVanished(state)) {
    return loseTarget(context, watch, 'no ping answered here or elsewhere, and its lease is no longer renewed')
  } else {
    note(context, watch, `${watch.target}_does_not_answer_and_its_lease_is_renewed_still: waiting for the share's word`)
    askWhetherAlone(context, watch)
  }
  if (context.due(examination.started_ms + Math.max(stretched(state, EXAMINATION_MS), state.profile.renew_ms))) examine(context, watch)
}

/** More than half gone at once: suspect yourself first; the leases alone decide then (protocol 5). */
export function mostVanished(state: State): boolean {
  const others = state.order.filter(host => host !== state.self && isMember(state, host))
  const reached = others.filter(host => hostOf(state, host).reachable).length
  return others.length > 2 && reached * 2 < others.length - 1
}

export function note(context: Context, watch: Watch, text: string, level: 'info' | 'warning' = 'warning'): void {
  if (watch.noted === text) return
  watch.noted = text
  context.because(text, { level, incident: watch.incident })
}

export function resume(context: Context, watch: Watch, text: string): void {
  context.because(text)
  if (watch.priority === 1) tellP2(context, watch, 'R')
  watch.ping_missed = 0
  watch.asked = undefined
  enterMode(context, watch, 'regular', 'the network is good')
}

/** Suspicion confirmed: P1 opens the incident and prepares; proof is waited for elsewhere. */
export function loseTarget(context: Context, watch: Watch, why: string, trouble?: Trouble): void {
  const { state } = context
  const leaving = leavingReason(state, watch.target)
  if (isHeld(state)) return note(context, watch, `${watch.target}_is_missing: the ring is on hold, nothing is done`)
  if (leaving !== undefined && claimsHeldBy(state, watch.target).length === 0) return note(context, watch, `${watch.target}_is_away_(${leaving}): nothing of it has to be given`, 'info')
  if (!context.due(hostOf(state, watch.target).promised_until_ms)) return note(context, watch, `${watch.target}_has_lost_the_shared_area_and_goes_on_by_promise: no takeover`)
  if (!context.due(graceEnds_ms(state))) return note(context, watch, `${watch.target}_is_missing: nobody is accused before the cold start is over`)
  context.because(`Network_is_abnormal_(${watch.target}): ${why}`, { level: 'alarm' })
  if (watch.priority === 1) {
    const answering = watch.ping_seen && watch.ping_missed === 0
    const incident = openIncident(context, watch.target, leaving !== undefined ? 'leave' : trouble ?? (answering ? 'host' : 'Nt1'), why)
    // A machine that is off does not reboot by itself, and who goes on purpose comes back on purpose.
    if (leaving === undefined && trouble === undefined) context.because(`__Wait_for_reboot_of_${watch.target}_(${serverOf(state, watch.target).address})`, { incident: incident.id })
  }
  enterMode(context, watch, 'backup server', why)
}

/** P2, and anybody whose incident has ended: back to regular when the target is a good member of the ring again. */
function decideStandingBy(context: Context, watch: Watch): void {
  const { state } = context
  // A repair that was broken off waits for nothing of its own: who comes to act makes it another trouble, and a good target ends it (regular).
  if (watch.incident !== undefined && state.incidents.get(watch.incident)?.trouble !== 'St1') return
  if (watch.priority === 1 && !isPresent(state, watch.target)) return loseTarget(context, watch, 'its management was taken over')
  const { claim, release } = functionOf(state, watch.target)
  const home = claim?.holder === watch.target && !release
  if (!isPresent(state, watch.target) || missesRenewals(state, watch.target)) return
  if (home && (watch.ping_missed === 0 || !watch.ping_seen)) return enterMode(context, watch, 'regular', 'the target is back in the ring and gives its function')
  enterMode(context, watch, 'target recovery', 'the target is back in the ring')
}

export function decideWatches(context: Context): void {
  context.state.was_whole ||= isWhole(context.state)
  decideRoles(context)
  for (const watch of context.state.watches.values()) {
    if (isAgentless(context.state, watch.target)) {
      decideAppliance(context, watch)
      continue
    }
    switch (watch.mode) {
      case 'regular': decideRegular(context, watch); break
      case 'network examination': decideExamination(context, watch); break
      case 'service recovery': decideServiceRecovery(context, watch); break
      case 'backup server':
      case 'target recovery': decideStandingBy(context, watch)
    }
  }
}

export function notePing(context: Context, target: string, answered: boolean): void {
  const watch = context.state.watches.get(target)
  if (!watch) return
  if (answered && isAgentless(context.state, target)) noteApplianceHeard(context, watch)
  if (answered) notePathGood(context, watch, watch.ping_missed)
  watch.ping_missed = answered ? 0 : watch.ping_missed + 1
  if (answered) watch.ping_seen = true
  else notePathBad(context, watch, watch.ping_missed)
}
