/** What the edges answer about the functions this host gives. */
import type { Event } from './event.ts'
import { isAgentless } from './appliance.ts'
import type { Context } from './context.ts'
import { functionOf } from './context.ts'
import { whoPromises } from './electorate.ts'
import { beginGiving, enterStage, failGiving, goOnAsBefore, releaseEpoch, reportProgress, stopGiving } from './giving.ts'
import { noteClaim } from './observation.ts'
import { isPresent } from './presence.ts'
import { p1Of } from './ring.ts'
import type { Giving, State } from './state.ts'

/** What was refused is asked again soon: nobody else can give the function before its stop is confirmed. */
const STOP_RETRY_MS = 2_000

type Of<Name extends Event['event']> = Extract<Event, { event: Name }>

export function notePrepared(context: Context, event: Of<'prepared'>): void {
  const giving = context.state.giving.get(event.function)
  if (giving?.stage !== 'preparing') return
  if (!event.ok) return failGiving(context, giving, `the virtual server could not be made ready: ${event.detail}`)
  context.because(`Virtual_server_for_${giving.function}_is_ready: ${event.detail}`, { incident: giving.incident })
  enterStage(context, giving, 'prepared')
  reportProgress(context, giving, 'prepared', event.detail)
}

export function noteClaimed(context: Context, event: Of<'claimed'>): void {
  const { state } = context
  const facts = state.functions.get(event.function)
  if (event.standing) {
    noteClaim(context, event.function, event.standing)
    if (facts?.claiming?.epoch === event.epoch) facts.claiming = undefined
  }
  const giving = state.giving.get(event.function)
  if (event.outcome === 'unknown') {
    // The share knows; the next read decides.
    state.share.look = true
    context.because(`Outcome_of_claim_${event.function}_epoch_${event.epoch}_is_unknown: ${event.detail}`, { level: 'warning', incident: giving?.incident })
    if (giving?.stage === 'claiming') giving.deadline_ms = context.now_ms + 2 * state.profile.renew_ms
  }
  if (event.outcome === 'lost') context.because(`Claim_${event.function}_epoch_${event.epoch}_was_lost_to_${event.standing?.holder ?? 'another'}`, { incident: giving?.incident })
  if (giving?.hand_over && giving.stopped) finishHandOver(context, giving, event)
}

function finishHandOver(context: Context, giving: Giving, event: Of<'claimed'>): void {
  const { to } = giving.hand_over!
  context.state.giving.delete(giving.function)
  if (event.outcome !== 'won') return
  context.because(`Virtual_IP_${giving.function}_is_handed_over_to_${to}_(epoch_${event.epoch})`, { incident: giving.incident })
  context.send(managerOf(context.state, to), { kind: 'look' })
}

/** Who puts the VIP on the target: itself, or without an agent its P1. */
function managerOf(state: State, name: string): string {
  return isAgentless(state, name) ? p1Of(state.order, name, host => isPresent(state, host)) ?? state.self : name
}

export function noteServing(context: Context, event: Of<'serving'>): void {
  const giving = context.state.giving.get(event.function)
  if (giving?.stage !== 'starting' || giving.epoch !== event.epoch) return
  if (!event.ok) return failGiving(context, giving, event.detail)
  context.because(`${giving.kind === 'virtual' ? 'Server_start_Complete' : 'Function_is_given'}_${giving.function}_(epoch_${giving.epoch})`, { incident: giving.incident })
  giving.goes_on_as = undefined
  enterStage(context, giving, 'serving')
  reportProgress(context, giving, 'serving', event.detail)
  context.state.condition_due = true
}

/** After the stop: hand over, release what is still ours, or simply forget. */
export function noteStopped(context: Context, event: Of<'stopped'>): void {
  const { state } = context
  const giving = state.giving.get(event.function)
  if (giving?.stage !== 'stopping' || giving.stopped) return
  if (!event.ok) {
    context.because(`Stop_of_${event.function}_failed: ${event.detail}; it is tried again in ${STOP_RETRY_MS} ms`, { level: 'alarm', incident: giving.incident })
    giving.deadline_ms = Math.min(giving.deadline_ms, context.now_ms + STOP_RETRY_MS)
    return
  }
  state.condition_due = true
  const { claim, release } = functionOf(state, event.function)
  const mine = claim?.holder === state.self && release === undefined
  if (giving.hand_over && mine) {
    const { to, generation, kind } = giving.hand_over
    giving.stopped = true
    // The claim may be applied at any time from here on, also when its outcome stays unknown.
    functionOf(state, event.function).given_up_epoch = claim.epoch
    giving.deadline_ms = context.now_ms + 2 * state.profile.expire_ms
    context.do({ command: 'claim', order: { function: giving.function, epoch: claim.epoch + 1, holder: to, generation, kind, proof: 'hand-over', by: state.self } })
    return
  }
  state.giving.delete(event.function)
  // Of a server that was taken out of the ring: hosts that do not know it yet would take its function up again (membership.ts releases it later).
  if (!state.order.includes(event.function)) return
  if (mine && claim.epoch === giving.epoch) releaseEpoch(context, event.function, claim.epoch, giving.release_as ?? (state.leaving ? 'goodbye' : 'not-started'))
}

/** A former agent of this host, under the same generation, had it running. */
export function noteAdopted(context: Context, event: Of<'adopted'>): void {
  if (context.state.giving.has(event.function)) return
  if (!context.state.order.includes(event.function)) {
    context.because(`${event.function}_(${event.kind},_epoch_${event.epoch})_was_given_by_the_former_agent_and_is_not_in_the_ring_any_more: it is stopped`, { level: 'warning' })
    return context.do({ command: 'stop', function: event.function, kind: event.kind })
  }
  const giving = beginGivingQuietly(context, event)
  context.because(`${event.function}_(${event.kind},_epoch_${event.epoch})_was_given_by_the_former_agent_and_goes_on`)
  enterStage(context, giving, 'serving')
}

function beginGivingQuietly(context: Context, event: Of<'adopted'>): Giving {
  const giving = beginGiving(context, event.function, 'native')
  const adopted: Giving = { ...giving, kind: event.kind, epoch: event.epoch }
  context.state.giving.set(event.function, adopted)
  return adopted
}

/** Its release is read within two renewals, if who has sent the hand can write it (giving.ts). */
export function noteTakenOff(context: Context, { function: name, epoch }: Of<'taken-off'>): void {
  const giving = context.state.giving.get(name)
  if (!giving || (giving.stage !== 'serving' && giving.stage !== 'starting') || giving.epoch > epoch) return
  context.because(`Virtual_IP_of_${name}_was_taken_off_here_by_a_remote_hand_(epoch_${epoch})`, { level: 'warning', incident: giving.incident })
  giving.taken_off_ms = context.now_ms
  context.state.share.look = true
}

export function noteVirtualServerGone(context: Context, event: Of<'virtual-server-gone'>): void {
  const giving = context.state.giving.get(event.function)
  if (!giving || giving.kind !== 'virtual' || giving.stage === 'stopping' || giving.stage === 'preparing') return
  context.because(`Virtual_server_for_${event.function}_is_gone: ${event.detail}`, { level: 'alarm', incident: giving.incident })
  failGiving(context, giving, 'its virtual server ended by itself')
}

export function noteReleased(context: Context, event: Of<'released'>): void {
  const { state, now_ms } = context
  state.share.look = true
  if (event.ok) return
  context.because(`Release_of_${event.function}_epoch_${event.epoch}_failed: ${event.detail}; it is tried again`, { level: 'warning' })
  const facts = state.functions.get(event.function)
  if (facts) facts.release_again_ms = now_ms + state.profile.renew_ms
}

/** R2: the lease ended. Half-started work is dropped; a native function goes on only while the guard rides (R8). */
export function noteLeaseLost(context: Context, event: Of<'lease-lost'>): void {
  const { state } = context
  const stopped = new Set(event.stopped)
  const rides = ({ function: name, kind, stage, goes_on_as }: Giving): boolean => kind === 'native' && (stage === 'serving' || (stage === 'starting' && goes_on_as !== undefined)) && !stopped.has(name)
  const goes_on = [...state.giving.values()].some(rides) ? `, ${whoPromises(state)} and the own function goes on` : ''
  if (state.own.deadline_ms === 0 && stopped.size === 0) context.because(`No_lease_began_in_time: generation_${event.generation}_begins${goes_on}`, { level: 'warning' })
  else context.because(`Lease_is_lost: generation_${event.generation}_begins, stopped: ${event.stopped.join(' ') || 'nothing'}${goes_on}`, { level: 'alarm' })
  // The record of the lost lease still stands on the share, and lists whom it listed.
  state.own = { ...state.own, generation: event.generation, sequence: 0, deadline_ms: 0 }
  for (const giving of [...state.giving.values()]) {
    if (rides(giving)) {
      if (giving.stage === 'starting') goOnAsBefore(context, giving, 'the lease is lost again')
      continue
    }
    state.giving.delete(giving.function)
    // The guard has stopped it; this clears what is left (devices, files).
    context.do({ command: 'stop', function: giving.function, kind: giving.kind })
  }
  state.condition_due = true
}

/** A nomination that is no longer wanted, or a wish to yield: only what is not yet served, or is ours to give up. */
export function withdraw(context: Context, name: string, epoch: number): void {
  const giving = context.state.giving.get(name)
  if (!giving || giving.epoch !== epoch || (giving.stage !== 'preparing' && giving.stage !== 'prepared')) return
  giving.nominator = ''
  stopGiving(context, giving, 'the nomination was withdrawn')
}

export function yieldFunction(context: Context, name: string, epoch: number): void {
  const giving = context.state.giving.get(name)
  if (!giving || giving.epoch !== epoch || giving.stage !== 'serving') return
  stopGiving(context, giving, 'its manager asks for it: the service does not work here')
}
