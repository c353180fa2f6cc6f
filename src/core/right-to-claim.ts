/** R4: when a host may claim a function. Only facts of the share and the own lease count. */
import type { ClaimRecord, ProofKind } from './records.ts'
import { hasNoLease } from './appliance.ts'
import { consentsLack } from './consent.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf } from './context.ts'
import { isAsked, notAsked } from './electorate.ts'
import type { State } from './state.ts'
import { inGoodStanding, ownLeaseGood, shareFresh, silentUntil_ms } from './presence.ts'

export type RightToClaim =
  | { readonly proof: ProofKind; readonly epoch: number; readonly tombstone?: { readonly host: string; readonly generation: number } }
  /** `at_ms`: when a fresh read could change the answer. `consents`: so could the consents of others. */
  | { readonly refused: string; readonly at_ms?: number; readonly consents?: true }

/** The lease must outlast the claim and the start of the function. */
export function claimMargin_ms(context: Context): number {
  return context.state.profile.stop_ms / 4
}

/** What the share says is this host's to give may be taken up: in good standing for long enough, by a read since this agent's start. */
export function mayTakeUp(context: Context): boolean {
  const { state, now_ms } = context
  return inGoodStanding(state, now_ms, claimMargin_ms(context)) && state.share.last_returned_ms >= state.started_ms
}

export function rightToClaim(context: Context, name: string): RightToClaim {
  const { state, now_ms } = context
  const { claim, release } = functionOf(state, name)
  if (!ownLeaseGood(state, now_ms, claimMargin_ms(context))) return { refused: 'own lease is not good for long enough' }
  if (!shareFresh(state, now_ms)) return { refused: 'the shared area was not read lately' }
  if (!claim) return name === state.self ? { proof: 'first', epoch: 1 } : { refused: 'it was never claimed: its own server has not joined yet' }
  const epoch = claim.epoch + 1
  if (release) return { proof: 'released', epoch }
  if (claim.holder === state.self) {
    return claim.generation === state.own.generation ? { refused: 'it is claimed by this host already' } : { proof: 'own-past', epoch }
  }
  if (isKeptUnmanaged(state, claim)) return { refused: `${claim.holder} keeps it unmanaged` }
  if (hasNoLease(state, claim)) return { refused: `${claim.holder} has no agent and no lease: only a release proves that it has stopped` }
  return silenceProof(context, claim, epoch)
}

/** Without its flag a host keeps its own service; virtual servers end with its guard. */
export function isKeptUnmanaged(state: State, { holder, kind }: ClaimRecord): boolean {
  return kind === 'native' && hostOf(state, holder).lease?.standing === 'unmanaged'
}

/**
 * R8: a promise keeps the native function of its host. The virtual servers there end with the lease whatever was promised (R2), so that the silence of that
 * lease proves as much of them as of any others.
 */
export function isPromised(state: State, { holder, kind }: ClaimRecord, at_ms: number): boolean {
  return kind === 'native' && hostOf(state, holder).promised_until_ms > at_ms
}

function silenceProof(context: Context, claim: ClaimRecord, epoch: number): RightToClaim {
  const { state, now_ms } = context
  const { holder } = claim
  const host = hostOf(state, holder)
  if (!isAsked(state, claim, state.self)) return { refused: notAsked(holder, state.self) }
  // The read that shows the silence must come after the promise: a ride may end in a renewal that an earlier one does not show, and its host gives on.
  if (isPromised(state, claim, silentUntil_ms(state, holder))) {
    const stands = host.promised_until_ms > now_ms
    return { refused: stands ? `a promise to ${holder} stands` : `the shared area was not read since a promise to ${holder} ended`, at_ms: host.promised_until_ms }
  }
  if (host.lease_silent_ms < state.profile.expire_ms) {
    return { refused: `the lease of ${holder} has been silent for ${Math.round(host.lease_silent_ms)} ms of ${state.profile.expire_ms} ms`, at_ms: host.lease_since_ms + state.profile.expire_ms }
  }
  const lack = consentsLack(state, claim)
  if (lack !== undefined) return { refused: lack, consents: true }
  return { proof: 'silence', epoch, tombstone: { host: holder, generation: host.lease?.generation ?? 0 } }
}

/** Whether a host in good standing could claim now: what managers wait for, whoever the nominee is. */
export function proofStands(state: State, name: string, now_ms: number): boolean {
  const { claim, release } = functionOf(state, name)
  if (!claim) return false
  if (release) return true
  if (hasNoLease(state, claim)) return false
  const holder = hostOf(state, claim.holder)
  return holder.lease_silent_ms >= state.profile.expire_ms && !isPromised(state, claim, now_ms) && !isKeptUnmanaged(state, claim)
}
