/** Service recovery (thesis 5.3.1): the network is good and a service is bad. Restart it; if that does not heal, take the VIP off. */
import type { Context } from './context.ts'
import type { Event } from './event.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { examine } from './examination.ts'
import { changeTrouble, closeIncident, firstHealing, openIncident } from './incident.ts'
import { releaseEpoch } from './giving.ts'
import { beginRehoming } from './rehoming.ts'
import { isAgentless, isThere } from './appliance.ts'
import { isSlow, withhold } from './local-health.ts'
import { isHeld, leavingReason } from './orders.ts'
import { inGoodStanding } from './presence.ts'
import { isPathBad, tellsOfDaemon } from './path.ts'
import type { State, Watch } from './state.ts'
import { enterMode, tellP2 } from './mode.ts'

/** Over SSH: connect, restart, and what a service manager takes for it; squid needs seconds. */
const RESTART_LIMIT_MS = 10_000
const RELEASE_LIMIT_MS = 3_000
/** A daemon just restarted gets two seconds before its dialogue must be right: on a busy host it listens late, and a takeover for that would be worse; the last attempt decides. */
const VERIFY_ATTEMPT_MS = 150
const VERIFY_LIMIT_MS = 2_000
/** A release that cannot be had is asked for again. */
const RETRY_MS = 2_000

/** Only a function given natively by the target is repaired there. */
function givesItself(state: State, target: string): boolean {
  const { claim, release } = functionOf(state, target)
  return claim?.holder === target && claim.kind === 'native' && release === undefined && isThere(state, target)
}

/** Daemons of a host that has just booted may still be starting: they get its reboot limit, unless they were seen good before. */
function isStarting(context: Context, watch: Watch): boolean {
  const { generation_since_ms } = hostOf(context.state, watch.target)
  const up_ms = generation_since_ms + serverOf(context.state, watch.target).reboot_limit_ms
  return !watch.service.good_seen && !context.due(up_ms)
}

/** A repair was broken off, for the target went or another gave its function: it is over when the target gives it again and its services are good. */
export function endBrokenOff(context: Context, watch: Watch): void {
  const incident = watch.incident === undefined ? undefined : context.state.incidents.get(watch.incident)
  if (incident?.trouble !== 'St1' || watch.service.verdict !== 'OK' || !givesItself(context.state, watch.target)) return
  tellP2(context, watch, 'R')
  closeIncident(context, incident, 'repaired', 'the target gives its function and its services are good')
}

export function decideServiceRecovery(context: Context, watch: Watch): void {
  if (watch.mode === 'regular') {
    const { verdict, daemon, detail } = watch.service
    if (verdict === undefined || verdict === 'OK' || isHeld(context.state) || leavingReason(context.state, watch.target) !== undefined || !givesItself(context.state, watch.target) || isStarting(context, watch)) return
    enterMode(context, watch, 'service recovery', `${daemon} ${verdict}: ${detail}`)
    startRepair(context, watch, 'confirm')
    examine(context, watch)
    return probe(context, watch)
  }
  if (watch.repair?.step === 'confirm' && watch.examination?.direct !== undefined) {
    // Without a network the second dialogue can only time out.
    if (!watch.examination.direct || isPathBad(watch) || watch.service.probing_since_ms === undefined) return judge(context, watch)
  }
  if (!isThere(context.state, watch.target)) return enterMode(context, watch, 'regular', 'the whole target is missing')
  if (leavingReason(context.state, watch.target) !== undefined) return enterMode(context, watch, 'regular', 'the target leaves')
  if (!givesItself(context.state, watch.target)) return leaveToBackup(context, watch)
  if (!watch.repair) return startRepair(context, watch, 'confirm')
  if (watch.repair.step === 'restart' && claimedAnew(context.state, watch)) return startedAnew(context, watch)
  if (!context.due(watch.repair.deadline_ms)) return
  timeOut(context, watch)
}

/** `verify_ms`: how long a service is looked at again, once that is the step. */
function startRepair(context: Context, watch: Watch, step: NonNullable<Watch['repair']>['step'], verify_ms = VERIFY_LIMIT_MS): void {
  const limit_ms = step === 'restart' ? RESTART_LIMIT_MS + 1_000 : step === 'release' ? RELEASE_LIMIT_MS + 1_000 : step === 'failed' ? RETRY_MS : 2 * RELEASE_LIMIT_MS
  watch.repair = { step, verify_until_ms: context.now_ms + verify_ms, deadline_ms: context.now_ms + limit_ms, daemon: watch.service.daemon, epoch: functionOf(context.state, watch.target).claim?.epoch ?? 0 }
}

function probe(context: Context, watch: Watch): void {
  watch.service.probing_since_ms = context.now_ms
  context.do({ command: 'probe', target: watch.target, where: 'own address' })
}

/** A verdict arrived while a repair is under way. */
export function continueRepair(context: Context, watch: Watch): void {
  const { repair, service } = watch
  if (!repair || watch.mode !== 'service recovery') return
  if (service.verdict === 'OK') return healed(context, watch)
  if (repair.step !== 'verify') return
  if (context.now_ms >= repair.verify_until_ms) return release(context, watch)
  repair.deadline_ms = context.now_ms + VERIFY_ATTEMPT_MS
}

/** The network is checked again before the daemon is blamed (thesis 5.3.1), by a dialogue that began when it was good. */
function judge(context: Context, watch: Watch): void {
  if (!watch.examination?.direct || isPathBad(watch)) return enterMode(context, watch, 'network examination', 'the service is bad and the network does not answer either')
  if (watch.service.verdict !== undefined) return restart(context, watch)
  if (watch.service.probing_since_ms === undefined) return probe(context, watch)
  enterMode(context, watch, 'regular', 'no dialogue has ended since the network is good')
}

function timeOut(context: Context, watch: Watch): void {
  switch (watch.repair!.step) {
    case 'confirm': return judge(context, watch)
    case 'verify':
      if (isPathBad(watch)) return enterMode(context, watch, 'network examination', 'the network was lost while the service was looked at')
      watch.repair!.deadline_ms = context.now_ms + 2 * RELEASE_LIMIT_MS
      return probe(context, watch)
    case 'restart': return lookOnceMore(context, watch)
    case 'release': return releaseFailed(context, watch, 'the remote hand did not answer')
    case 'failed': return release(context, watch)
  }
}

function healed(context: Context, watch: Watch): void {
  const { state } = context
  context.because(`${watch.service.daemon || 'service'}_is_normal_(${watch.target})`, { incident: watch.incident })
  const incident = watch.incident === undefined ? undefined : state.incidents.get(watch.incident)
  if (incident && watch.repair!.step !== 'release') {
    tellP2(context, watch, 'R')
    closeIncident(context, incident, 'repaired', 'service restarted')
    watch.incident = undefined
  }
  if (watch.repair!.step !== 'release') enterMode(context, watch, 'regular', 'the service is good')
}

function restart(context: Context, watch: Watch): void {
  const { target, service } = watch
  const index = serverOf(context.state, target).daemons.findIndex(daemon => daemon.name === service.daemon)
  endOutdated(context, watch)
  if (watch.incident === undefined) openIncident(context, target, 'St1', `${service.daemon} ${service.verdict}: ${service.detail}`)
  context.because(`${service.daemon}_is_stop_condition_(${service.verdict}: ${service.detail})`, { level: 'alarm', incident: watch.incident })
  context.because(`Start_to_restart_${service.daemon}`, { incident: watch.incident })
  startRepair(context, watch, 'restart')
  context.do({ command: 'hand', target, verb: 'restart-daemon', args: [String(Math.max(0, index))], limit_ms: RESTART_LIMIT_MS })
}

/** Looks at the service again, for so long, at least once. */
function verify(context: Context, watch: Watch, verify_ms = VERIFY_LIMIT_MS): void {
  startRepair(context, watch, 'verify', verify_ms)
  probe(context, watch)
}

/** The hand has failed, or was not heard of again for 10 s: meanwhile the service may have come back by itself, or by what the hand did. */
function lookOnceMore(context: Context, watch: Watch): void {
  verify(context, watch, 0)
}

/** The service cannot be healed in place: VIP off the target by the remote hand, the release is the proof (R4). */
function release(context: Context, watch: Watch): void {
  const { state } = context
  const { target } = watch
  const { claim } = functionOf(state, target)
  const incident = watch.incident === undefined ? undefined : state.incidents.get(watch.incident)
  if (!claim || !incident) return enterMode(context, watch, 'regular', 'nothing to release')
  if (!watch.repair || claimedAnew(state, watch)) return startedAnew(context, watch)
  const in_doubt = isSlow(state) && watch.service.timed_out
  if (in_doubt) withhold(context, watch, `${watch.repair.daemon}_of_${target}_does_not_answer_in_time`)
  const standing = inGoodStanding(state, context.now_ms)
  if (!standing) noteNoStanding(context, watch)
  if (isHeld(state) || in_doubt || !standing) {
    // The hold came in the middle, the fault may be ours, or nobody would read a release of ours: what can be healed in place may heal, nothing is moved.
    return verify(context, watch)
  }
  if (incident.trouble !== 'St2') {
    context.because(`Cannot_recover_${watch.repair.daemon}_(${watch.service.detail})`, { level: 'alarm', incident: incident.id })
    changeTrouble(context, incident, 'St2', 'restart failed', watch.service.detail)
    incident.healing = firstHealing(context, target, 'St2')
    beginRehoming(context, incident, target)
  }
  context.because(`Remove_virtual_IP_(${serverOf(state, target).address})`, { incident: incident.id })
  startRepair(context, watch, 'release')
  watch.taking_off = claim.epoch
  context.do({ command: 'hand', target, verb: 'release', args: [target, String(claim.epoch)], limit_ms: RELEASE_LIMIT_MS })
}

function noteNoStanding(context: Context, watch: Watch): void {
  const text = `Service_of_${watch.target}_is_bad_and_this_host_is_in_no_good_standing_on_the_shared_area: no virtual IP is taken off from here`
  if (watch.noted === text) return
  watch.noted = text
  context.because(text, { level: 'warning', incident: watch.incident })
}

/** The epoch under which the repair began is over. */
function claimedAnew(state: State, { target, repair }: Watch): boolean {
  return functionOf(state, target).claim?.epoch !== repair?.epoch
}

/**
 * What was to be repaired is over: the target has booted and claimed again, or somebody else has. A bad service is found again by the next round.
 * A restart that was asked for before is not waited for: with a hand that does not answer that would double its 10 s.
 */
function startedAnew(context: Context, watch: Watch): void {
  if (!givesItself(context.state, watch.target)) return leaveToBackup(context, watch)
  const incident = context.state.incidents.get(watch.incident ?? '')
  if (incident) closeIncident(context, incident, 'repaired', 'the target has started afresh and claimed its function anew')
  enterMode(context, watch, 'regular', 'the target has claimed its function anew')
}

/** A repair that was broken off, and the target has claimed its function anew since: by that record the function is given again, whatever comes of this repair. */
function endOutdated(context: Context, watch: Watch): void {
  const { state } = context
  const incident = state.incidents.get(watch.incident ?? '')
  const begun = incident?.functions.get(watch.target)
  if (!incident || begun === undefined || begun === functionOf(state, watch.target).claim?.epoch) return
  closeIncident(context, incident, 'repaired', 'the target has claimed its function anew')
}

/** The VIP is off the target by its own hand's word, and nobody waits for that any more: without the record nobody would give the function. */
function noteLateRelease(context: Context, watch: Watch, epoch: number): void {
  const { claim } = functionOf(context.state, watch.target)
  if (!givesItself(context.state, watch.target) || claim?.epoch !== epoch) return
  context.because(`Virtual_IP_of_${watch.target}_was_taken_off_late: epoch ${epoch} is released`, { level: 'warning', incident: watch.incident })
  releaseEpoch(context, watch.target, epoch, 'remote-hand')
}

function releaseFailed(context: Context, watch: Watch, why: string): void {
  const { claim } = functionOf(context.state, watch.target)
  context.because(`Virtual_IP_of_${watch.target}_could_not_be_removed: ${why}; ${isAgentless(context.state, watch.target) ? 'it has no agent to ask: take it off by hand' : 'the target itself is asked'}`, { level: 'alarm', incident: watch.incident })
  if (claim) context.send(watch.target, { kind: 'yield', function: watch.target, epoch: claim.epoch })
  startRepair(context, watch, 'failed')
}

export function noteRepairHand(context: Context, watch: Watch, verb: string, ok: boolean, detail: string): void {
  const taken_off = verb === 'release' ? watch.taking_off : undefined
  if (verb === 'release') watch.taking_off = undefined
  if (watch.mode !== 'service recovery' || !watch.repair) {
    if (ok && taken_off !== undefined) noteLateRelease(context, watch, taken_off)
    return
  }
  if (verb === 'restart-daemon' && watch.repair.step === 'restart') {
    return ok ? verify(context, watch) : lookOnceMore(context, watch)
  }
  if (verb === 'release' && watch.repair.step === 'release') {
    if (!ok) return releaseFailed(context, watch, detail)
    afterRelease(context, watch)
  }
}

function afterRelease(context: Context, watch: Watch): void {
  const { state } = context
  const incident = state.incidents.get(watch.incident ?? '')
  const { claim } = functionOf(state, watch.target)
  if (!incident || !claim) return enterMode(context, watch, 'regular', 'nothing to release')
  context.record(incident, 'virtual IP removed')
  // Only the epoch that was taken off the target has ended: another holder's is not ours to release.
  if (givesItself(state, watch.target) && claim.epoch === watch.repair?.epoch) releaseEpoch(context, watch.target, claim.epoch, 'remote-hand')
  leaveToBackup(context, watch)
}

/** The target gives its function no more, by our hand or because it yielded: what is left is to heal it. */
function leaveToBackup(context: Context, watch: Watch): void {
  const { state } = context
  const incident = state.incidents.get(watch.incident ?? '')
  if (!incident || incident.trouble !== 'St2') return enterMode(context, watch, 'regular', 'the target does not give its function any more')
  context.because(`__Start_of_restart_(${serverOf(state, watch.target).address})`, { incident: incident.id })
  incident.healing = { step: 'reboot', until_ms: context.now_ms, reboots: 0, wakes: 0 }
  enterMode(context, watch, 'backup server', 'the service cannot be healed in place')
}

export function noteProbed(context: Context, { target, verdict, daemon, detail, timed_out = false, started_ms = context.now_ms }: Extract<Event, { event: 'probed' }>): void {
  const watch = context.state.watches.get(target)
  if (!watch) return
  if (verdict !== 'OK' && !tellsOfDaemon(watch, started_ms)) return notePathsWord(context, watch, started_ms)
  if (verdict !== 'OK' && timed_out && isSlow(context.state)) return noteUnheard(context, watch, daemon)
  watch.service = { verdict, timed_out, daemon, detail, good_rounds: verdict === 'OK' ? watch.service.good_rounds + 1 : 0, good_seen: watch.service.good_seen || verdict === 'OK', probing_since_ms: undefined }
  continueRepair(context, watch)
}

/** The path was bad when this dialogue began, or a later one is awaited: no verdict. A repair that waits for one asks again once the path is good. */
function notePathsWord(context: Context, watch: Watch, started_ms: number): void {
  const { service, repair } = watch
  if (isPathBad(watch)) {
    service.good_rounds = 0
    service.verdict = undefined
  }
  if (service.probing_since_ms === undefined || started_ms < service.probing_since_ms) return
  service.probing_since_ms = undefined
  if (watch.mode === 'service recovery' && repair?.step === 'verify') repair.deadline_ms = context.now_ms + VERIFY_ATTEMPT_MS
}

/** Nothing came in time by the clock of a host that is late itself: no verdict. A repair that was begun on better evidence asks again. */
function noteUnheard(context: Context, watch: Watch, daemon: string): void {
  const { service, repair } = watch
  service.probing_since_ms = undefined
  service.good_rounds = 0
  if (service.verdict !== 'OK') service.verdict = undefined
  withhold(context, watch, `${daemon}_of_${watch.target}_does_not_answer_in_time`)
  if (watch.mode !== 'service recovery' || !repair) return
  if (repair.step === 'confirm') return enterMode(context, watch, 'regular', 'the own host is too slow to judge')
  if (repair.step !== 'verify') return
  startRepair(context, watch, 'verify')
  watch.repair!.deadline_ms = context.now_ms + VERIFY_ATTEMPT_MS
}
