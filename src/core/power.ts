/**
 * Proof by power (R4): a host that its power controller calls "off" gives nothing. "Already off" counts; a command's exit code does not.
 *
 * Why a release by "off" is safe: every claim in the question was read from the shared area before the question was asked, so it was
 * written, and its generation used, before the moment at which the machine had no power. Whatever acted on it died then. A machine that has
 * power again begins a new generation, under which that claim is dead (R6, R7). Only what the question lists is released, epoch and
 * generation: a claim that the machine makes after its boot, while a slow answer still travels, stands.
 *
 * Why "off" alone is not believed: the controller may be that of another machine. A host that renews its lease is never taken over
 * (S6), so "off" counts only while the lease has not grown since the question and has missed two renewals, no ping is answered, and
 * no promise to the host stands.
 */
import { isAgentless } from './appliance.ts'
import type { Context } from './context.ts'
import { claimsHeldBy, functionOf, hostOf, serverOf } from './context.ts'
import type { Event } from './event.ts'
import { releaseEpoch } from './giving.ts'
import { allRestored, changeTrouble } from './incident.ts'
import { lookWhenDue } from './observation.ts'
import { isHeld } from './orders.ts'
import { inGoodStanding, ownLeaseGood } from './presence.ts'
import { slot_ms } from './rehoming.ts'
import { isKeptUnmanaged } from './right-to-claim.ts'
import type { Incident, PowerFacts, PowerQuestion, State, Watch } from './state.ts'
import { loseTarget } from './watching.ts'

/** While an expiry is awaited each answer may save seconds; later it only has to come some time. */
const QUICK_REPEAT_MS = 300
const REPEAT_MS = 2_000
/** The edge answers within its own limit of three seconds; a lost answer must not end the asking. */
const ANSWER_LIMIT_MS = 5_000

export function decidePower(context: Context): void {
  const { state } = context
  for (const target of state.power.keys()) if (!state.watches.has(target)) state.power.delete(target)
  for (const watch of state.watches.values()) {
    if (serverOf(state, watch.target).power.command === undefined || isAgentless(state, watch.target)) continue
    const known = state.power.get(watch.target)
    if (known?.off && hasRenewedSince(state, watch.target, known.off.asked_ms)) known.off = undefined
    const awaited = isAwaited(context, watch)
    if (awaited) askForPower(context, watch)
    const facts = state.power.get(watch.target)
    if (!facts) continue
    if (facts.off) believe(context, watch, facts.off)
    else if (!awaited && facts.question === undefined) state.power.delete(watch.target)
  }
}

/** What the target holds and others could give. */
function heldBy(state: State, target: string): PowerQuestion['claims'] {
  return claimsHeldBy(state, target).filter(claim => !isKeptUnmanaged(state, claim))
}

const isSilent = (watch: Watch): boolean => watch.ping_missed > 0 || !watch.ping_seen

function hasRenewedSince(state: State, target: string, since_ms: number): boolean {
  return hostOf(state, target).lease_grew_ms > since_ms
}

function isAwaited(context: Context, watch: Watch): boolean {
  const { state, now_ms } = context
  // An examination is short, and its answer may save seconds; a host that lost only the share answers pings, and has power.
  const missed = watch.mode === 'network examination' || ((watch.mode === 'backup server' || watch.mode === 'service recovery') && isSilent(watch))
  return missed && heldBy(state, watch.target).length > 0 && ownLeaseGood(state, now_ms)
}

function askForPower(context: Context, watch: Watch): void {
  const { state, now_ms } = context
  const { target } = watch
  const facts: PowerFacts = state.power.get(target) ?? { since_ms: now_ms, asked_ms: -Infinity, question: undefined, off: undefined, said: '' }
  state.power.set(target, facts)
  // P2 asks in P1's place when P1 has had its slot for it.
  if (watch.priority === 2 && !context.due(facts.since_ms + slot_ms(state))) return
  if (facts.off || (facts.question && !context.due(facts.question.asked_ms + ANSWER_LIMIT_MS))) return
  const quick = !context.due(facts.since_ms + state.profile.expire_ms + REPEAT_MS)
  if (!context.due(facts.asked_ms + (quick ? QUICK_REPEAT_MS : REPEAT_MS))) return
  if (facts.asked_ms === -Infinity) context.because(`Ask_for_power_of_${target}`, { incident: watch.incident })
  facts.asked_ms = now_ms
  const request = (state.counter += 1)
  facts.question = { request, asked_ms: now_ms, claims: heldBy(state, target) }
  context.do({ command: 'power', target, verb: 'status', request })
}

export function notePower(context: Context, { target, verb, request, state: power, detail }: Extract<Event, { event: 'power' }>): void {
  const facts = context.state.power.get(target)
  const incident = context.state.watches.get(target)?.incident
  const words = detail === '' ? '' : `: ${detail}`
  if (verb !== 'status') return context.because(`__Power_${verb}_${target}_was_ordered,_it_is_${power}${words}`, { level: power === verb ? 'info' : 'warning', incident })
  if (facts?.question?.request !== request) return
  const { question } = facts
  facts.question = undefined
  const renewed = power === 'off' && hasRenewedSince(context.state, target, question.asked_ms)
  if (power === 'off' && !renewed) facts.off = question
  const said = renewed ? 'off_by_its_controller_and_its_lease_is_renewed: not believed' : `${power}${words}`
  if (facts.said === said) return
  facts.said = said
  context.because(`Power_of_${target}_is_${said}`, { level: power === 'off' ? 'alarm' : power === 'unknown' ? 'warning' : 'info', incident })
}

/** Off: everything but the release happens at once, the release when two renewals are missed as well. */
function believe(context: Context, watch: Watch, off: PowerQuestion): void {
  const { state, now_ms } = context
  if (!isSilent(watch) || isHeld(state)) return
  // A service is noticed first when daemons die before the network; the remote hand then waits for nobody.
  if (watch.mode === 'network examination' || watch.mode === 'service recovery') loseTarget(context, watch, 'its power is off', 'Nt2')
  // Still in examination: a promise stands, or the cold start is not over.
  if (watch.mode !== 'backup server') return
  // Dialogues of the time before say nothing about a machine that is off.
  watch.service.good_rounds = 0
  const incident = state.incidents.get(watch.incident ?? '')
  if (incident && (incident.trouble === 'Nt1' || incident.trouble === 'host')) changeTrouble(context, incident, 'Nt2', 'power is off', 'its power controller says so')
  const host = hostOf(state, watch.target)
  const standing = off.claims.filter(claim => isStanding(state, watch.target, claim))
  if (standing.length === 0 || !context.due(host.promised_until_ms) || !inGoodStanding(state, now_ms)) return
  const missed_ms = 2 * state.profile.renew_ms
  if (host.lease_silent_ms < missed_ms) {
    return lookWhenDue(context, host.lease_since_ms + missed_ms)
  }
  for (const claim of standing) release(context, watch, claim)
}

/** The very claim that stood when the question was asked. */
function isStanding(state: State, target: string, asked: PowerQuestion['claims'][number]): boolean {
  const { claim, release } = functionOf(state, asked.function)
  return claim?.holder === target && claim.epoch === asked.epoch && claim.generation === asked.generation && !release && !isKeptUnmanaged(state, claim)
}

function release(context: Context, watch: Watch, { function: name, epoch }: PowerQuestion['claims'][number]): void {
  if (releaseEpoch(context, name, epoch, 'power')) context.because(`Release_${name}_epoch_${epoch}: the power of ${watch.target} is off`, { incident: watch.incident })
}

/** A nominee that has its virtual server ready need not wait for its next look at the share. */
export function tellNominee(context: Context, name: string, written: boolean): void {
  const { state } = context
  const nominee = state.rehoming.get(name)?.nominee
  const holder = functionOf(state, name).claim?.holder
  if (written && nominee !== undefined && holder !== undefined && state.power.get(holder)?.off) context.send(nominee, { kind: 'look' })
}

/** Nothing is gained by waiting for its reboot; who announced that it goes is not switched on again. */
export function isOffAndReplaced({ state }: Pick<Context, 'state'>, incident: Incident): boolean {
  return incident.trouble !== 'leave' && state.power.get(incident.target)?.off !== undefined && allRestored(incident) && heldBy(state, incident.target).length === 0
}
