/**
 * R8 by majority, the claimer's half. A host that rides may miss the promises of some, m of those whom its lease lists. So whoever claims its native function by
 * silence needs m + 1 of them, itself included, of whom none has a promise to it outstanding, all at one instant after the lease was lost: at that instant too few
 * promises stood for a ride, so the function had ended. It stays so: a ride that ended does not begin again, and the lease comes back only with a renewal, which a
 * read issued after that instant would have shown. Hence a consent binds nobody: what its giver promises later comes too late for the epoch that is claimed.
 *
 * One instant by several clocks: each says how long it has been free of promises, and that must reach back to when it was asked.
 */
import type { Context } from './context.ts'
import { functionOf } from './context.ts'
import { isPresent, silentUntil_ms } from './presence.ts'
import { CLOCK_RATE_ERROR, promiseGiven_ms } from './profile.ts'
import type { ClaimRecord } from './records.ts'
import type { Consents, Giving, State } from './state.ts'

/** An answer on the LAN takes milliseconds; whoever has a promise outstanding does not answer. */
export const ASK_AGAIN_MS = 100
/** Answers to older questions have lost their worth: TCP has sent again what was lost. */
const ASKS_REMEMBERED = 20
/** Asked so long in vain it is said, and again each minute. */
export const TOLD_AFTER_MS = 2_000
export const TOLD_AGAIN_MS = 60_000

/** Of how many whom the holder's lease lists no promise may stand, the claimer included; 1 where all must promise. */
export function consentsNeeded(state: State, { holder, kind }: ClaimRecord): number {
  return kind === 'virtual' ? 1 : 1 + (state.hosts.get(holder)?.lease?.may_miss ?? 0)
}

/** Those whom its last record lists: it rides by their promises, and by no others'. */
function votersOf(state: State, { holder }: ClaimRecord): readonly string[] {
  return state.hosts.get(holder)?.lease?.electorate ?? []
}

/** What a claim by silence still lacks, when everything else speaks for it. */
export function consentsLack(state: State, claim: ClaimRecord): string | undefined {
  const needed = consentsNeeded(state, claim)
  if (needed <= 1) return undefined
  const voters = votersOf(state, claim)
  const free_ms = consentsOf(state, claim)?.free_ms ?? new Map<string, never>()
  const own_ms = freeSince_ms(state, claim.holder)
  const isFree = (name: string, at_ms: number): boolean => {
    const { from_ms, until_ms } = name === state.self ? { from_ms: own_ms, until_ms: Infinity } : free_ms.get(name) ?? { from_ms: Infinity, until_ms: -Infinity }
    return from_ms <= at_ms && at_ms <= until_ms
  }
  const issued_ms = silentUntil_ms(state, claim.holder)
  const agreed = [...free_ms.values()].some(({ until_ms: at_ms }) => at_ms <= issued_ms && voters.filter(name => isFree(name, at_ms)).length >= needed)
  return agreed ? undefined : `not yet ${needed} of ${voters.join(', ')} have said that no promise of theirs to ${claim.holder} stands`
}

/** Since when this host holds no promise to that one, those of its former agent included. */
function freeSince_ms(state: State, holder: string): number {
  return Math.max(state.hosts.get(holder)?.promised_until_ms ?? -Infinity, state.started_ms + promiseGiven_ms(state.profile))
}

/** What was heard since that claim, and since that renewal. */
function consentsOf(state: State, claim: ClaimRecord): Consents | undefined {
  const consents = state.consents.get(claim.function)
  const lease = state.hosts.get(claim.holder)?.lease
  return consents?.epoch === claim.epoch && consents.generation === lease?.generation && consents.sequence === lease.sequence ? consents : undefined
}

/** At the nominee, which stands ready, has seen the lease silent for D_exp, and has every other right. */
export function askForConsents(context: Context, { function: name, incident }: Giving): void {
  const { state, now_ms } = context
  const { claim } = functionOf(state, name)
  const lease = claim && state.hosts.get(claim.holder)?.lease
  if (!lease) return
  const { generation, sequence } = lease
  const consents = consentsOf(state, claim) ?? { epoch: claim.epoch, generation, sequence, since_ms: now_ms, asked: [], free_ms: new Map(), told_ms: -Infinity }
  state.consents.set(name, consents)
  tellThatItWaits(context, claim, consents, incident)
  const asked_ms = consents.asked.at(-1)?.sent_ms ?? -Infinity
  if (!context.due(asked_ms + ASK_AGAIN_MS)) return
  const others = votersOf(state, claim).filter(host => host !== state.self && state.hosts.get(host)?.reachable === true)
  if (others.length + 1 < consentsNeeded(state, claim)) return
  const request = (state.counter += 1)
  consents.asked = [...consents.asked.slice(-ASKS_REMEMBERED), { request, sent_ms: now_ms }]
  // The read that counts is issued after the question, beside it.
  state.share.look = true
  for (const host of others) context.send(host, { kind: 'consent-request', request, holder: claim.holder })
}

/** Silence is the refusal. */
export function answerConsentRequest(context: Context, from: string, request: number, holder: string): void {
  const { state, now_ms } = context
  if (holder === state.self || !state.hosts.has(holder)) return
  const free_ms = now_ms - freeSince_ms(state, holder)
  if (free_ms >= 0) context.send(from, { kind: 'consent', request, free_ms })
}

/** It was free for so long when it answered: at the latest now, and at the earliest when it was asked. */
export function noteConsent({ state, now_ms }: Context, from: string, request: number, free_ms: number): void {
  for (const consents of state.consents.values()) {
    const sent_ms = consents.asked.find(asked => asked.request === request)?.sent_ms
    const from_ms = now_ms - free_ms * (1 - 2 * CLOCK_RATE_ERROR)
    if (sent_ms !== undefined && from_ms <= sent_ms) consents.free_ms.set(from, { from_ms, until_ms: sent_ms })
  }
}

/** Too few of them live by the share's word: no nominee can do better than wait. */
export function lacksVoters(state: State, claim: ClaimRecord): boolean {
  const needed = consentsNeeded(state, claim)
  return needed > 1 && votersOf(state, claim).filter(name => isPresent(state, name)).length < needed
}

/** A takeover waits here for as long as too few live: a person must know, and what ends it. */
function tellThatItWaits(context: Context, claim: ClaimRecord, consents: Consents, incident: string): void {
  const { state, now_ms } = context
  if (!context.due(consents.since_ms + TOLD_AFTER_MS) || !context.due(consents.told_ms + TOLD_AGAIN_MS)) return
  consents.told_ms = now_ms
  context.because(`Consents_are_missing_for_${claim.function}: ${whyItWaits(state, claim)}; ${nextStep(claim)}`, { level: 'alarm', incident })
}

/** For people. */
export function whyItWaits(state: State, claim: ClaimRecord): string {
  const voters = votersOf(state, claim)
  const present = voters.filter(name => isPresent(state, name))
  return `${claim.holder} may ride by the promises of a majority; ${consentsNeeded(state, claim)} of ${voters.join(', ')} have to say that they have promised nothing, and present ${present.length === 1 ? 'is' : 'are'} ${present.join(', ') || 'none'}`
}

export function nextStep({ holder }: ClaimRecord): string {
  return `bring more of them back, or, if ${holder} is off for certain, "ringward confirm-dead ${holder}"`
}
