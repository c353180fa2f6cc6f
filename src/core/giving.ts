/** What this host gives: R5 claim, R6 serve, R7 reconcile. Only the host that will give a function claims it. */
import { kindAt, type ClaimRecord, type FunctionKind, type ReleaseHow } from './records.ts'
import { isAgentless } from './appliance.ts'
import { askForConsents } from './consent.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf } from './context.ts'
import { lookWhenDue } from './observation.ts'
import type { Giving, State } from './state.ts'
import { leavesToOthersUntil_ms } from './alone.ts'
import { CUT_OFF, hasRoomHere } from './placement.ts'
import { isRenewing } from './presence.ts'
import { mayTakeUp, rightToClaim } from './right-to-claim.ts'

/** Longest a step may take before it counts as failed: a cold start under emulation takes 5 s, real hosts 43 s (thesis 5.4). */
export const STEP_LIMIT_MS: Readonly<Record<'preparing' | 'claiming' | 'starting' | 'stopping', number>> = {
  preparing: 90_000, claiming: 5_000, starting: 90_000, stopping: 15_000,
}

/** A nomination is repeated every 2 s while it stands; its manager may be gone. */
const NOMINATION_LIFE_MS = 10_000

export function reportProgress(context: Context, giving: Giving, stage: Giving['stage'] | 'declined' | 'failed', detail: string): void {
  if (giving.nominator === '') return
  context.send(giving.nominator, { kind: 'progress', incident: giving.incident, function: giving.function, epoch: giving.epoch, stage, detail })
}

export function enterStage(context: Context, giving: Giving, stage: Giving['stage']): void {
  giving.stage = stage
  context.state.condition_due = true
  giving.deadline_ms = context.now_ms + (stage in STEP_LIMIT_MS ? STEP_LIMIT_MS[stage as keyof typeof STEP_LIMIT_MS] : Infinity)
}

export function beginGiving(context: Context, name: string, kind: FunctionKind, nomination?: { incident: string; nominator: string; warm?: boolean }): Giving {
  const giving: Giving = {
    function: name, kind, stage: 'prepared', epoch: functionOf(context.state, name).claim?.epoch ?? 0,
    incident: nomination?.incident ?? '', nominator: nomination?.nominator ?? '', begun_ms: context.now_ms, heard_ms: context.now_ms, deadline_ms: Infinity, hand_over: undefined, stopped: false,
  }
  context.state.giving.set(name, giving)
  if (kind === 'virtual') {
    enterStage(context, giving, 'preparing')
    context.do({ command: 'prepare', function: name, warm: nomination?.warm ?? false })
  }
  return giving
}

function startServing(context: Context, giving: Giving, epoch: number): void {
  giving.epoch = epoch
  giving.taken_off_ms = undefined
  enterStage(context, giving, 'starting')
  context.because(`${giving.kind === 'virtual' ? 'Start_of_virtual_server' : 'Start_of_function'}_${giving.function}_(epoch_${epoch})`, { incident: giving.incident })
  context.do({ command: 'serve', function: giving.function, epoch, kind: giving.kind, generation: context.state.own.generation })
  reportProgress(context, giving, 'starting', `claimed epoch ${epoch}`)
}

/** Ends giving for good; the stop is carried out, then `after` in `noteStopped`. */
export function stopGiving(context: Context, giving: Giving, why: string): void {
  context.because(`Stop_${giving.function}_(${giving.kind}): ${why}`, { incident: giving.incident })
  enterStage(context, giving, 'stopping')
  context.do({ command: 'stop', function: giving.function, kind: giving.kind })
}

function isMine(state: State, name: string, epoch: number): boolean {
  const { claim, release, given_up_epoch } = functionOf(state, name)
  return claim !== undefined && epoch > given_up_epoch && claim.epoch === epoch && claim.holder === state.self && claim.generation === state.own.generation && release === undefined
}

function tryClaim(context: Context, giving: Giving): void {
  const { state } = context
  const right = rightToClaim(context, giving.function)
  if ('refused' in right) {
    if (right.at_ms !== undefined) lookWhenDue(context, right.at_ms)
    if (right.consents) askForConsents(context, giving)
    return
  }
  const { proof, epoch, tombstone } = right
  context.because(`Claim_${giving.function}_epoch_${epoch}_(${proof}${tombstone ? `_of_${tombstone.host}_generation_${tombstone.generation}` : ''})`, { incident: giving.incident })
  giving.deadline_ms = context.now_ms + STEP_LIMIT_MS.claiming
  if (giving.stage !== 'serving') giving.stage = 'claiming'
  functionOf(state, giving.function).claiming = { epoch, generation: state.own.generation }
  context.do({ command: 'claim', order: { function: giving.function, epoch, holder: state.self, generation: state.own.generation, kind: giving.kind, proof, by: state.self, ...(tombstone ? { tombstone } : {}) } })
}

/** The claim under which we serve has been superseded, released, or belongs to an older generation. */
function continueServing(context: Context, giving: Giving): void {
  const { state } = context
  const { claim, release } = functionOf(state, giving.function)
  if (!claim) return
  if (claim.epoch > giving.epoch && claim.holder !== state.self) return stopGiving(context, giving, `epoch ${claim.epoch} belongs to ${claim.holder}`)
  if (release && release.epoch >= giving.epoch) return stopGiving(context, giving, `epoch ${release.epoch} was released (${release.how} by ${release.by})`)
  if (claim.holder !== state.self || giving.stage !== 'serving') return
  if (giving.taken_off_ms !== undefined && claim.epoch === giving.epoch && context.due(giving.taken_off_ms + 2 * state.profile.renew_ms)) return releaseTakenOff(context, giving)
  if (isMine(state, giving.function, claim.epoch)) {
    if (claim.epoch !== giving.epoch && context.due(giving.again_ms ?? -Infinity)) serveAnew(context, giving, claim.epoch)
    return
  }
  if (giving.deadline_ms !== Infinity && !context.due(giving.deadline_ms)) return
  // The function outlived the lease under promises (R8): claim it again under the new generation.
  if (claim.generation !== state.own.generation) tryClaim(context, giving)
}

function serveAnew(context: Context, giving: Giving, epoch: number): void {
  if (giving.kind === 'native') giving.goes_on_as = giving.epoch
  startServing(context, giving, epoch)
}

/** What is given by promise is not stopped because a lease was too short to take it up anew: the guard has it in charge under the former epoch still. */
export function goOnAsBefore(context: Context, giving: Giving, why: string): void {
  context.because(`${giving.function}_goes_on_under_epoch_${giving.goes_on_as}: epoch ${giving.epoch} could not be taken up (${why}); it is tried again`, { level: 'warning', incident: giving.incident })
  giving.epoch = giving.goes_on_as!
  giving.goes_on_as = undefined
  giving.again_ms = context.now_ms + context.state.profile.renew_ms
  enterStage(context, giving, 'serving')
}

/** Who has sent the hand is dead, or does not reach the share: nobody else knows that the function is not given here any more. */
function releaseTakenOff(context: Context, giving: Giving): void {
  giving.release_as = 'remote-hand'
  stopGiving(context, giving, 'a remote hand has taken its VIP off, and nobody has released it')
}

function continueGiving(context: Context, giving: Giving): void {
  const { state } = context
  const { claim } = functionOf(state, giving.function)
  switch (giving.stage) {
    case 'preparing':
    case 'prepared':
      if (claim && claim.epoch > giving.epoch) return stopGiving(context, giving, `epoch ${claim.epoch} belongs to ${claim.holder}`)
      if (giving.nominator !== '' && context.due(giving.heard_ms + NOMINATION_LIFE_MS)) return stopGiving(context, giving, `${giving.nominator} nominates no more`)
      return continueNominated(context, giving)
    case 'claiming':
      if (claim && claim.epoch > giving.epoch) {
        if (isMine(state, giving.function, claim.epoch)) return startServing(context, giving, claim.epoch)
        return stopGiving(context, giving, `epoch ${claim.epoch} belongs to ${claim.holder}`)
      }
      if (context.due(giving.deadline_ms)) enterStage(context, giving, 'prepared')
      return
    case 'starting':
      continueServing(context, giving)
      if (giving.stage === 'starting' && context.due(giving.deadline_ms)) failGiving(context, giving, 'the function did not start in time')
      return
    case 'serving':
      return continueServing(context, giving)
    case 'stopping':
      if (!context.due(giving.deadline_ms)) return
      if (giving.stopped) state.giving.delete(giving.function)
      else stopGiving(context, giving, 'the stop was not confirmed in time')
  }
}

function continueNominated(context: Context, giving: Giving): void {
  const { state, now_ms } = context
  if (giving.kind === 'native') return giving.stage === 'prepared' ? tryClaim(context, giving) : undefined
  const leaves_until_ms = leavesToOthersUntil_ms(state, giving.begun_ms, now_ms)
  if (leaves_until_ms === Infinity) return failGiving(context, giving, CUT_OFF)
  if (giving.stage === 'preparing') return context.due(giving.deadline_ms) ? failGiving(context, giving, 'the virtual server was not ready in time') : undefined
  if (context.due(leaves_until_ms)) tryClaim(context, giving)
}

export function failGiving(context: Context, giving: Giving, why: string): void {
  if (giving.stage === 'starting' && giving.goes_on_as !== undefined) return goOnAsBefore(context, giving, why)
  context.because(`Cannot_give_${giving.function}: ${why}`, { level: 'alarm', incident: giving.incident })
  reportProgress(context, giving, 'failed', why)
  giving.hand_over = undefined
  stopGiving(context, giving, why)
}

/** R7 and R10: a function whose newest claim names this host is given, claimed again, or released. */
function reconcile(context: Context, name: string): void {
  const { state } = context
  const { claim, release } = functionOf(state, name)
  if (!claim) {
    if (name === state.self) beginGiving(context, name, 'native')
    return
  }
  if (claim.holder !== state.self || release) return
  if (state.leaving) return void releaseEpoch(context, name, claim.epoch, 'goodbye')
  if (claim.epoch <= functionOf(state, name).given_up_epoch) return void releaseEpoch(context, name, claim.epoch, 'not-started')
  if (claim.generation === state.own.generation) return takeUp(context, claim)
  if (claim.kind === 'native') {
    beginGiving(context, name, 'native')
  } else {
    context.because(`Release_${name}_epoch_${claim.epoch}: its virtual server ended with generation ${claim.generation}`)
    releaseEpoch(context, name, claim.epoch, 'not-started')
  }
}

/** Claimed for this life of this host, by itself or by who handed it over; it may not stand ready any more. */
function takeUp(context: Context, { function: name, epoch, kind }: ClaimRecord): void {
  if (kind === 'virtual' && !hasRoomHere(context.state, name)) {
    context.because(`Release_${name}_epoch_${epoch}: it is claimed for this host, and there is no room here any more`, { level: 'warning' })
    return void releaseEpoch(context, name, epoch, 'not-started')
  }
  context.because(`${name}_is_claimed_by_this_host_(epoch_${epoch})_and_not_given: take it up`)
  const giving = beginGiving(context, name, kind)
  if (kind === 'native') startServing(context, giving, epoch)
}

/** False when the epoch is not the newest, is released, or its release is under way. */
export function releaseEpoch(context: Context, name: string, epoch: number, how: ReleaseHow): boolean {
  const facts = functionOf(context.state, name)
  const last = facts.claim
  if (!last || last.epoch !== epoch || facts.release) return false
  // Not to be written twice within one read of the share; the record itself is read back. What was ordered before this claim was of an older epoch.
  if (facts.releasing_ms >= facts.since_ms && !context.due(facts.release_again_ms)) return false
  facts.releasing_ms = context.now_ms
  facts.release_again_ms = context.now_ms + STEP_LIMIT_MS.claiming
  if (last.holder === context.state.self || isAgentless(context.state, last.holder)) facts.given_up_epoch = epoch
  context.do({ command: 'release', order: { function: name, epoch, how, by: context.state.self } })
  return true
}

export function decideGiving(context: Context): void {
  const { servers, order, giving } = context.state
  const may_reconcile = mayTakeUp(context)
  for (const name of order) decideGivingOf(context, name, may_reconcile)
  // What is given for a server that was taken out of the ring has still to end.
  for (const name of giving.keys()) if (!servers.has(name)) decideGivingOf(context, name, may_reconcile)
}

function decideGivingOf(context: Context, name: string, may_reconcile: boolean): void {
  const given = context.state.giving.get(name)
  if (given) takeUpPrepared(context, given)
  else if (may_reconcile) reconcile(context, name)
  else return
  const giving = given ?? context.state.giving.get(name)
  if (giving) continueGiving(context, giving)
}

/** A virtual server that was prepared for a claim this host holds already (taken up after a restart) goes straight on. */
function takeUpPrepared(context: Context, giving: Giving): void {
  const { claim } = functionOf(context.state, giving.function)
  if (giving.stage === 'prepared' && claim && isMine(context.state, giving.function, claim.epoch)) startServing(context, giving, claim.epoch)
}

/** Hands a function over, on target recovery or before a leave: stop first, then claim for the other host (protocol 6). */
export function handOver(context: Context, giving: Giving, to: string, generation: number, why: string): void {
  const { state } = context
  const takes_it = isAgentless(state, to) ? generation === 0 : hostOf(state, to).lease?.generation === generation && isRenewing(state, to, context.now_ms)
  if (giving.stage !== 'serving' || !takes_it) return
  const kind = kindAt(to, giving.function)
  giving.hand_over = { to, generation, kind }
  stopGiving(context, giving, why)
}
