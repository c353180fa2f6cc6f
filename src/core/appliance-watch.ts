/**
 * The watch of a target without an agent: the same modes as any other (protocol 6), on the evidence of pings, dialogues and other
 * hosts' probes alone. To accuse it costs nothing but a virtual server held ready: the takeover waits for proof (appliance-proof.ts).
 */
import { applianceAnswers, newAppliance, type Appliance } from './appliance.ts'
import { decideProof } from './appliance-proof.ts'
import { decideVip } from './appliance-vip.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { EXAMINATION_LIMIT_MS, EXAMINATION_MS, examine } from './examination.ts'
import { openIncident } from './incident.ts'
import { isSlow, stretched, withhold } from './local-health.ts'
import { enterMode } from './mode.ts'
import { graceEnds_ms, ownLeaseGood } from './presence.ts'
import { decideServiceRecovery } from './service-recovery.ts'
import type { Watch } from './state.ts'
import { mostVanished, note, resume } from './watching.ts'

/** So many pings lost in a row and then an answer: it may have been another boot, and what was known of it is void. */
const CONTACT_LOST_PINGS = 2

export function applianceOf(context: Context, target: string): Appliance {
  const { appliances } = context.state
  let appliance = appliances.get(target)
  if (!appliance) appliances.set(target, appliance = newAppliance(context.now_ms))
  return appliance
}

export function decideAppliance(context: Context, watch: Watch): void {
  const appliance = applianceOf(context, watch.target)
  if (applianceAnswers(watch)) appliance.heard_ms = context.now_ms
  switch (watch.mode) {
    case 'regular': decideRegular(context, watch); break
    case 'network examination': decideExamination(context, watch, appliance); break
    case 'service recovery': decideServiceRecovery(context, watch); break
    case 'backup server':
    case 'target recovery': decideStandingBy(context, watch)
  }
  if (watch.priority !== 1) {
    // Whoever acts meanwhile changes what was known.
    appliance.inherited_epoch = undefined
    appliance.vip = undefined
    appliance.look_ms = -Infinity
    return
  }
  decideVip(context, watch, appliance)
  decideProof(context, watch, appliance)
}

function decideRegular(context: Context, watch: Watch): void {
  if (watch.ping_missed < stretched(context.state, 1)) {
    if (watch.priority === 1) decideServiceRecovery(context, watch)
    return
  }
  enterMode(context, watch, 'network examination', `${watch.ping_missed} ping(s) lost`)
  examine(context, watch)
}

function decideExamination(context: Context, watch: Watch, appliance: Appliance): void {
  const { state, now_ms } = context
  const { examination, target } = watch
  if (!examination) return examine(context, watch)
  if (examination.direct) return resume(context, watch, `Network_is_normal_(${target})`)
  if (examination.direct === undefined && !context.due(examination.started_ms + stretched(state, EXAMINATION_LIMIT_MS))) return
  if (!context.due(examination.started_ms + stretched(state, EXAMINATION_MS))) return
  if (watch.ping_missed === 0 && examination.direct === undefined) return resume(context, watch, `Network_is_normal_(${target})`)
  if (examination.indirect) note(context, watch, `Path_to_${target}_is_broken_here_and_others_reach_it: no takeover`)
  else if (applianceAnswers(watch)) note(context, watch, `${target}_does_not_answer_pings_and_its_services_do: no takeover`)
  else if (!ownLeaseGood(state, now_ms)) note(context, watch, `${target}_does_not_answer_and_the_own_lease_is_not_good: no accusation from here`)
  else if (isSlow(state)) withhold(context, watch, `${target}_does_not_answer`)
  else if (now_ms - appliance.heard_ms >= 2 * state.profile.renew_ms && !mostVanished(state)) return loseAppliance(context, watch, 'neither ping nor service answers, here or elsewhere')
  if (context.due(examination.started_ms + Math.max(stretched(state, EXAMINATION_MS), state.profile.renew_ms))) examine(context, watch)
}

function loseAppliance(context: Context, watch: Watch, why: string): void {
  const { state } = context
  if (!context.due(graceEnds_ms(state))) return note(context, watch, `${watch.target}_is_missing: nobody is accused before the cold start is over`)
  context.because(`Network_is_abnormal_(${watch.target}): ${why}`, { level: 'alarm' })
  if (watch.priority === 1) {
    const incident = openIncident(context, watch.target, 'Nt1', why)
    context.because(`__Wait_for_reboot_of_${watch.target}_(${serverOf(state, watch.target).address})`, { incident: incident.id })
  }
  enterMode(context, watch, 'backup server', why)
}

/** P2, and a manager that has just become P1. An incident of our own goes its way in target-recovery.ts. */
function decideStandingBy(context: Context, watch: Watch): void {
  if (watch.incident !== undefined) return
  const { claim, release } = functionOf(context.state, watch.target)
  if (!applianceAnswers(watch)) {
    if (watch.priority === 1 && ownLeaseGood(context.state, context.now_ms) && !isSlow(context.state)) loseAppliance(context, watch, 'its management was taken over, and nothing of it answers')
    return
  }
  const home = claim === undefined || (claim.holder === watch.target && !release)
  if (home && watch.ping_missed === 0) return enterMode(context, watch, 'regular', 'the target answers and its function is its own')
  if (!home) enterMode(context, watch, 'target recovery', 'the target answers')
}

/** Called before the answer counts. */
export function noteApplianceHeard(context: Context, watch: Watch): void {
  const appliance = applianceOf(context, watch.target)
  appliance.heard_ms = context.now_ms
  if (watch.ping_seen && watch.ping_missed < CONTACT_LOST_PINGS) return
  if (!watch.ping_seen) appliance.inherited_epoch = undefined
  appliance.vip = undefined
  appliance.look_ms = context.now_ms
  // Its daemons may be starting: they get their time as after a boot.
  hostOf(context.state, watch.target).generation_since_ms = context.now_ms
  watch.service.good_seen = false
}
