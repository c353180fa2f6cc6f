/** Backup server mode (thesis 5.3.1, protocol 6): nominate the host with the lowest non-select value; it prepares, and claims when proof stands. */
import type { ClaimRecord, ReleaseRecord } from './records.ts'
import { isAgentless } from './appliance.ts'
import { lacksVoters } from './consent.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf } from './context.ts'
import { openIncident } from './incident.ts'
import { stretched } from './local-health.ts'
import { askToHandOver } from './leaving.ts'
import { isDraining, isHeld, leavingReason } from './orders.ts'
import { candidatesFor, STARTS_LIMIT, startsOn } from './placement.ts'
import { graceEnds_ms, isPresent } from './presence.ts'
import { isKeptUnmanaged, isPromised, proofStands } from './right-to-claim.ts'
import { p1Of, p2Of } from './ring.ts'
import type { Incident, Rehoming, State } from './state.ts'

/** The streams of a manager that is cut off itself end one after the other, within half of the heartbeat's limit. */
const CUT_OFF_MS = 500
/** A nominee on the LAN answers in milliseconds; a stalled one is passed over. */
const ANSWER_LIMIT_MS = 1_500
/** A saved state is loaded by then; who loads for longer starts cold, or has trouble. */
const LOADED_SOON_MS = 2_000
/** Covers a cold start of a virtual server (thesis: 42.84 s) with room. */
const PREPARE_LIMIT_MS = 95_000
/** A prepared nominee claims within a read and a write of the share once proof stands. */
const CLAIM_LIMIT_MS = 5_000
/** Often enough for a nominee that waits for it to hear it several times. */
const NOMINATION_REPEAT_MS = 2_000
const RESTART_PAUSE_LIMIT_MS = 30_000
/** Why a host is not asked though nothing is against it; a start that was lost on the way is looked for again after the pause. */
const BUSY = 'as many starts as it may are under way'
const BUSY_RETRY_MS = 250
/** No host has room: asked again for ever, loudly. */
const RETRY_MS = 2_000

export function beginRehoming(context: Context, incident: Incident, name: string): void {
  const { state } = context
  const { claim, release } = functionOf(state, name)
  const epoch = claim?.epoch ?? 0
  if (state.rehoming.get(name)?.epoch === epoch) return
  const tried = new Set(claim && release && claim.holder !== name ? [claim.holder] : [])
  if (!incident.functions.has(name)) incident.functions.set(name, epoch)
  state.rehoming.set(name, { function: name, incident: incident.id, epoch, nominee: undefined, as: 'virtual', nominated_ms: -Infinity, heard_ms: -Infinity, stage: '', stage_ms: -Infinity, ready_ms: -Infinity, cut_off: undefined, tried, retry_ms: -Infinity })
}

/** Lost: not renewing any more, or confirmed by the examination for the very generation that made the claim. */
function holderIsLost(context: Context, claim: ClaimRecord): boolean {
  const { state } = context
  const { holder, generation } = claim
  if (holder === state.self || (isPromised(state, claim, context.now_ms) && !context.due(hostOf(state, holder).promised_until_ms))) return false
  if (!isAgentless(state, holder) && !isPresent(state, holder)) return !isKeptUnmanaged(state, claim)
  if (state.incidents.size === 0) return false
  const watch = state.watches.get(holder)
  const incident = state.incidents.get(watch?.incident ?? '')
  return watch?.mode === 'backup server' && incident !== undefined && incident.trouble !== 'St2' && generation <= incident.target_generation
}

/** P1 acts; P2 when proof has stood for its slot and the epoch has not moved; the last host for itself. */
function isResponsible(context: Context, name: string, subject: string, proven: boolean): boolean {
  const { state } = context
  const present = (host: string): boolean => isPresent(state, host)
  const first = p1Of(state.order, subject, present) ?? state.self
  if (first === state.self) return true
  if (p2Of(state.order, subject, present) !== state.self || !proven) {
    state.standing_by.delete(name)
    return false
  }
  // While anybody is seen at work on it, P1 has acted.
  if (isUnderWay(context, name)) state.standing_by.delete(name)
  const since_ms = state.standing_by.get(name) ?? context.now_ms
  state.standing_by.set(name, since_ms)
  return context.due(since_ms + slot_ms(state))
}

function isUnderWay(context: Context, name: string): boolean {
  const { state, now_ms } = context
  return [...state.hosts.values()].some(({ name: host, condition, condition_ms }) => isPresent(state, host)
    && now_ms - condition_ms < 3 * state.inventory.interval_ms && condition?.giving.some(given => given.function === name && given.kind === 'virtual' && given.stage !== 'stopping'))
}

/** P2's slot: one interval, and never less than a resume takes. */
export function slot_ms(state: State): number {
  return Math.max(state.inventory.interval_ms, 1_000)
}

export function decideRehoming(context: Context): void {
  const { state } = context
  if (isHeld(state)) {
    for (const rehoming of [...state.rehoming.values()]) withdrawNomination(context, rehoming, 'the ring is on hold')
    return state.standing_by.clear()
  }
  for (const name of state.by_priority) {
    const { claim, release } = functionOf(state, name)
    const draining = claim !== undefined && isDraining(state, claim)
    const lost = claim !== undefined && (release !== undefined || draining || holderIsLost(context, claim))
    const rehoming = state.rehoming.get(name)
    if (rehoming) {
      continueRehoming(context, rehoming, lost)
      continue
    }
    if (!lost) {
      state.standing_by.delete(name)
      continue
    }
    // A release is the function's own matter, and so is a holder that is no member any more, or goes on by promise; a lost holder is the holder's, and all it gave.
    const rides = hostOf(state, claim.holder).promised_until_ms > context.now_ms
    const subject = release || rides || !state.order.includes(claim.holder) ? name : claim.holder
    if (!isResponsible(context, name, subject, proofStands(state, name, context.now_ms))) continue
    if (!release && !context.due(graceEnds_ms(state))) continue
    const incident = draining && !release ? openIncident(context, subject, 'leave', `it leaves (${leavingReason(state, subject)})`) : openIncident(context, subject, 'host', whyLost(claim.holder, release, rides, name))
    beginRehoming(context, incident, name)
    continueRehoming(context, state.rehoming.get(name)!, true)
  }
}

function whyLost(holder: string, release: ReleaseRecord | undefined, rides: boolean, name: string): string {
  if (release) return `${name} was released (${release.how} by ${release.by})`
  return rides ? `its virtual server ended with the lease of ${holder}, which goes on by promise` : 'its lease ran out'
}

function continueRehoming(context: Context, rehoming: Rehoming, lost: boolean): void {
  const { state } = context
  const { claim } = functionOf(state, rehoming.function)
  const incident = state.incidents.get(rehoming.incident)
  if (!incident || !claim || claim.epoch > rehoming.epoch) {
    if (rehoming.nominee === claim?.holder) return void state.rehoming.delete(rehoming.function)
    return withdrawNomination(context, rehoming, `epoch ${claim?.epoch} belongs to ${claim?.holder}`)
  }
  if (!lost && incident.trouble !== 'St2') return withdrawNomination(context, rehoming, 'the holder is back before the takeover')
  if (rehoming.nominee === undefined) {
    if (context.due(Math.max(rehoming.retry_ms, mayStartAgain_ms(state, rehoming.function)))) nominate(context, rehoming, incident)
    return
  }
  const failure = nomineeFailure(context, rehoming)
  const why = failure ?? homeIsSooner(context, rehoming)
  if (why === undefined) return keepNomination(context, rehoming)
  context.because(`Nominee_${rehoming.nominee}_for_${rehoming.function}_is_passed_over: ${why}`, { level: 'warning', incident: incident.id })
  context.send(rehoming.nominee, { kind: 'withdraw', function: rehoming.function, epoch: rehoming.epoch })
  if (failure !== undefined) rehoming.tried.add(rehoming.nominee)
  rehoming.nominee = undefined
  nominate(context, rehoming, incident)
}

/** A function that fails wherever it is started is not started faster and faster: at once, then after 1, 2, 4 … 30 s. */
export function mayStartAgain_ms(state: State, name: string): number {
  const { failed_starts, failed_ms } = functionOf(state, name)
  return failed_starts < 2 ? -Infinity : failed_ms + Math.min(1_000 * 2 ** (failed_starts - 2), RESTART_PAUSE_LIMIT_MS)
}

/** A nomination is repeated while it stands: a nominee that hears nothing more gives up (nominee.ts). */
function keepNomination(context: Context, rehoming: Rehoming): void {
  askToHandOver(context, rehoming)
  if (!context.due(rehoming.nominated_ms + NOMINATION_REPEAT_MS)) return
  rehoming.nominated_ms = context.now_ms
  sendNominate(context, rehoming)
}

function nomineeFailure(context: Context, rehoming: Rehoming): string | undefined {
  const { state } = context
  if (!isPresent(state, rehoming.nominee!)) return 'it left the ring'
  if (isNomineeCutOff(context, rehoming)) return 'it is not reachable any more'
  if (rehoming.stage === '') return context.due(rehoming.heard_ms + stretched(state, ANSWER_LIMIT_MS)) ? 'it does not answer' : undefined
  if (rehoming.stage === 'preparing') return context.due(rehoming.heard_ms + PREPARE_LIMIT_MS) ? 'it was not ready in time' : undefined
  const claim = functionOf(state, rehoming.function).claim
  if (!proofStands(state, rehoming.function, context.now_ms) || !state.share.good || (claim !== undefined && lacksVoters(state, claim))) {
    rehoming.heard_ms = context.now_ms
    return undefined
  }
  return context.due(rehoming.heard_ms + CLAIM_LIMIT_MS) ? 'it did not claim though proof stands' : undefined
}

/**
 * Its agent stands still, or the network is cut between it and us. Who reaches nobody may be cut off himself, and what he prepares then he leaves to others for a
 * while (alone.ts): but the nominee may be as cut off, or frozen, and none of the others there.
 */
function isNomineeCutOff(context: Context, rehoming: Rehoming): boolean {
  const { state, now_ms } = context
  const { nominee } = rehoming
  const isReached = (host: string): boolean => host !== state.self && hostOf(state, host).reachable
  if (nominee === state.self || isReached(nominee!)) {
    rehoming.cut_off = undefined
    return false
  }
  const alone = !state.order.some(isReached)
  if (rehoming.cut_off?.alone !== alone) rehoming.cut_off = { since_ms: now_ms, alone }
  return context.due(rehoming.cut_off.since_ms + (alone ? stretched(state, ANSWER_LIMIT_MS) : CUT_OFF_MS))
}

export function withdrawNomination(context: Context, rehoming: Rehoming, why: string): void {
  if (rehoming.nominee !== undefined) {
    context.because(`Withdraw_${rehoming.nominee}_for_${rehoming.function}: ${why}`, { incident: rehoming.incident })
    context.send(rehoming.nominee, { kind: 'withdraw', function: rehoming.function, epoch: rehoming.epoch })
  }
  context.state.rehoming.delete(rehoming.function)
}

/** The function's own server, healthy again while nobody gives the function (released there, or lost with another host), is the best host of all. */
function homeIsReady(state: State, name: string): boolean {
  const { claim, release } = functionOf(state, name)
  const generation = hostOf(state, name).lease?.generation ?? 0
  const watch = state.watches.get(name)
  // Nobody probes the last host that is left: its own service, whatever its state, is better than none.
  const healthy = name === state.self ? state.order.every(host => host === name || !isPresent(state, host)) : watch?.service.verdict === 'OK' && watch.service.good_rounds > 0
  return (release !== undefined || claim?.holder !== name) && isPresent(state, name) && leavingReason(state, name) === undefined && healthy
    && (claim?.holder !== name || generation > claim.generation)
}

/** A virtual server that starts cold may load for a minute; meanwhile its own server has booted. */
function homeIsSooner(context: Context, { function: name, as, stage, heard_ms, tried }: Rehoming): string | undefined {
  const loads = as === 'virtual' && stage === 'preparing' && context.due(heard_ms + LOADED_SOON_MS)
  return loads && !tried.has(name) && homeIsReady(context.state, name) ? `${name} is back and its services are good` : undefined
}

/** A host that stands ready, or nearly, for a manager that has died meanwhile: its successor goes on from the stage reached. */
function preparedBy(state: State, { function: name, epoch, tried }: Rehoming): string | undefined {
  return state.order.find(host => host !== state.self && !tried.has(host) && isPresent(state, host) && hostOf(state, host).reachable && leavingReason(state, host) === undefined
    && hostOf(state, host).condition?.giving.some(given => given.function === name && given.epoch === epoch && given.kind === 'virtual' && (given.stage === 'preparing' || given.stage === 'prepared')))
}

function nominate(context: Context, rehoming: Rehoming, incident: Incident): void {
  const { state } = context
  const name = rehoming.function
  if (homeIsReady(state, name) && !rehoming.tried.has(name)) return sendNomination(context, rehoming, name, 'native')
  const ready = preparedBy(state, rehoming)
  if (ready !== undefined) return sendNomination(context, rehoming, ready, 'virtual')
  const { claim, release } = functionOf(state, name)
  const { holder } = claim!
  const excluded = new Map<string, string>([...rehoming.tried].map(host => [host, 'tried already'] as const))
  // Who has released another's function may be the last that is left: asked again after the others.
  if (!release || holder === name) excluded.set(holder, leavingReason(state, holder) === undefined ? 'it is the failed host' : 'it leaves')
  if (incident.trouble === 'St2' || name !== holder) excluded.set(name, 'it is the function\'s own server')
  // A host that starts as many as it may is not asked yet; it is free again within one start.
  for (const host of state.order) if (!excluded.has(host) && startsOn(state, host).size >= STARTS_LIMIT) excluded.set(host, BUSY)
  const candidates = candidatesFor(context, name, excluded)
  const chosen = candidates.find(candidate => candidate.value !== null)
  const list = candidates.map(candidate => `${candidate.host}=${candidate.value ?? 'no'} [${candidate.reason}]`).join(', ')
  if (!chosen && candidates.some(({ reason }) => reason === BUSY)) return waitForAStart(context, rehoming, list)
  if (!chosen) {
    context.because(`No_host_for_${name}: ${list}; asked again in ${RETRY_MS} ms`, { level: 'alarm', incident: incident.id })
    rehoming.tried.clear()
    rehoming.retry_ms = context.now_ms + RETRY_MS
    return
  }
  context.because(`Backup_server_of_${name}_is_${chosen.host}: ${list}`, { incident: incident.id })
  context.record(incident, 'chosen', { chosen_host: chosen.host, candidates })
  sendNomination(context, rehoming, chosen.host, 'virtual')
}

/** A host that loads late may do so for a minute, and its next start then takes as long: who failed once is asked again before. */
function waitForAStart(context: Context, rehoming: Rehoming, list: string): void {
  const { function: name, incident, tried } = rehoming
  if (rehoming.stage !== 'waits') {
    context.because(`${name}_waits_for_a_start_to_end: ${list}`, { incident })
    rehoming.stage = 'waits'
    rehoming.stage_ms = context.now_ms
  } else if (tried.size > 0 && context.due(rehoming.stage_ms + LOADED_SOON_MS)) {
    context.because(`The_starts_that_${name}_waits_for_take_long: ${[...tried].join(', ')} may try again`, { incident })
    tried.clear()
    rehoming.stage = ''
  }
  context.due(context.now_ms + BUSY_RETRY_MS)
}

function sendNomination(context: Context, rehoming: Rehoming, host: string, kind: 'native' | 'virtual'): void {
  rehoming.nominee = host
  rehoming.nominated_ms = context.now_ms
  rehoming.heard_ms = context.now_ms
  rehoming.cut_off = undefined
  rehoming.stage = ''
  rehoming.as = kind
  sendNominate(context, rehoming)
}

function sendNominate(context: Context, { nominee, incident, function: name, epoch, as }: Rehoming): void {
  const { claim, release } = functionOf(context.state, name)
  const hand_over = claim !== undefined && !release && isDraining(context.state, claim)
  context.send(nominee!, { kind: 'nominate', incident, function: name, epoch, as, ...(hand_over ? { hand_over } : {}) })
}

export function noteProgress(context: Context, from: string, name: string, stage: string, detail: string): void {
  const { state } = context
  const rehoming = state.rehoming.get(name)
  const incident = rehoming && state.incidents.get(rehoming.incident)
  if (!rehoming || !incident || rehoming.nominee !== from) return
  if (stage === 'busy') {
    // Another manager was faster; its host tells all others so itself.
    rehoming.nominee = undefined
    rehoming.retry_ms = context.now_ms + BUSY_RETRY_MS
    return
  }
  if (stage === 'declined' || stage === 'failed') {
    context.because(`${from}_cannot_give_${name}: ${detail}`, { level: 'warning', incident: incident.id })
    context.record(incident, stage, { detail: `${from}: ${detail}` })
    rehoming.tried.add(from)
    rehoming.nominee = undefined
    return
  }
  if (rehoming.stage === stage) return
  rehoming.stage = stage
  rehoming.stage_ms = context.now_ms
  rehoming.heard_ms = context.now_ms
  if (stage === 'starting') state.share.look = true
  if (stage !== 'preparing') context.record(incident, stage === 'starting' ? 'claimed' : stage, { detail: `${from}: ${detail}` })
}
