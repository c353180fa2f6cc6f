/**
 * Targets without an agent (thesis chapter 2): what is known of them, and what follows from it. They have no lease, so nothing is
 * ever concluded from silence: only a release record lets somebody else claim what they give. Views cost time, never safety.
 */
import type { ClaimRecord } from './records.ts'
import { isPresent } from './presence.ts'
import type { State, Watch } from './state.ts'

/** What a manager knows of a target without an agent, beside its watch. */
export interface Appliance {
  /** Where the hand saw the VIP last; undefined when nothing is known since the contact was lost. */
  vip: 'on' | 'off' | undefined
  /** The order that is under way. */
  order: { readonly verb: ApplianceVerb; readonly epoch: number; readonly until_ms: number } | undefined
  /** When the hand looks next. */
  look_ms: number
  /** When the hand was answered last, and whether it was at the last try; undefined before the first. */
  hand_ms: number
  hand_good: boolean | undefined
  /** When the target was heard last, in whatever way. */
  heard_ms: number
  /** The epoch that stood when this manager took the target on: a release of it may be on its way unseen. */
  inherited_epoch: number | undefined
  /** When the VIP may be given, taken for proof, or claimed next: a refusal is not answered with a hail of orders. */
  give_ms: number
  take_ms: number
  claim_ms: number
  /** When the operator was told last that only he can prove the stop. */
  told_ms: number
  /** `request` of the question under way, and the epoch that stood when it was asked. */
  power: { asked_ms: number; request: number; epoch: number; state: 'on' | 'off' | 'unknown'; off_ordered_ms: number | undefined }
}

export type ApplianceVerb = 'look' | 'give' | 'release'

export function newAppliance(now_ms: number): Appliance {
  return {
    vip: undefined, order: undefined, look_ms: now_ms, hand_ms: -Infinity, hand_good: undefined, heard_ms: now_ms, inherited_epoch: undefined, give_ms: -Infinity, take_ms: -Infinity, claim_ms: -Infinity, told_ms: -Infinity,
    power: { asked_ms: -Infinity, request: 0, epoch: 0, state: 'unknown', off_ordered_ms: undefined },
  }
}

export function isAgentless(state: State, name: string): boolean {
  return state.without_agent.has(name)
}

/** Claims of such a target carry generation 0, which no lease ever has: that outlives a change of the configuration. */
export function hasNoLease(state: State, { holder, generation }: Pick<ClaimRecord, 'holder' | 'generation'>): boolean {
  return generation === 0 || isAgentless(state, holder)
}

/** It answers a ping, or its services do. */
export function applianceAnswers({ ping_seen, ping_missed, service }: Watch): boolean {
  return (ping_seen && ping_missed === 0) || service.verdict === 'OK'
}

/** Present by its lease, or, without an agent, by what its watch says: ours, else another's. */
export function isThere(state: State, name: string): boolean {
  if (!isAgentless(state, name)) return isPresent(state, name)
  const watch = state.watches.get(name)
  return watch ? applianceAnswers(watch) : reports(state, name).some(report => report.answering)
}

/** Whether it serves its clients: the VIP is on it and its services answer. Only P1 has a hand on it, the others have P1's word. */
export function applianceServes(state: State, name: string): boolean {
  const watch = state.watches.get(name)
  if (watch?.priority === 1) return isServing(state, watch)
  return reports(state, name).some(report => report.serving)
}

function isServing(state: State, watch: Watch): boolean {
  return applianceAnswers(watch) && watch.service.verdict === 'OK' && state.appliances.get(watch.target)?.vip === 'on'
}

function reports(state: State, name: string): { readonly answering: boolean; readonly serving: boolean }[] {
  return state.order.filter(host => host !== state.self && isPresent(state, host))
    .flatMap(host => state.hosts.get(host)?.condition?.agentless?.filter(report => report.target === name) ?? [])
}

/** What this host tells the others of the targets it acts for. */
export function applianceReports(state: State): { readonly target: string; readonly answering: boolean; readonly serving: boolean }[] {
  return [...state.watches.values()].filter(watch => watch.priority === 1 && isAgentless(state, watch.target))
    .map(watch => ({ target: watch.target, answering: applianceAnswers(watch), serving: isServing(state, watch) }))
}
