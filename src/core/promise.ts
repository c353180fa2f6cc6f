/** R8 and R9: while the share is silent, a native function goes on as long as the others promise not to claim it: all of them, or enough (electorate.ts, consent.ts). */
import type { Context } from './context.ts'
import { functionOf, hostOf } from './context.ts'
import { promisesNeeded, promisesSpared, toldOfRide } from './electorate.ts'
import { promiseGiven_ms } from './profile.ts'
import type { Giving, State } from './state.ts'

/** Asked this often, a promise outlives nine asks: a packet lost and sent again by TCP does not end the ride. */
const ASKS_PER_RENEWAL = 3
/** Answers to older requests have lost their worth. */
const REQUESTS_REMEMBERED = 9
/** The guard is scheduled first and speaks within milliseconds. */
const GUARD_WORD_MS = 500
/** Asked when a renewal is late by this many intervals: one is overdue by then, and the answers must be here before D_stop is over. */
const LATE_RENEWALS = 1.5

export function decidePromises(context: Context): void {
  const { state } = context
  const { profile, promise, own } = state
  const native = nativeServed(state)
  if (own.generation === 0 || !native || !guardKeeps(context)) return
  // Once the lease is lost the ride alone carries the function: asked as late as before, one slow answer would end it.
  if (own.deadline_ms > 0 && !context.due(own.deadline_ms - profile.stop_ms + LATE_RENEWALS * profile.renew_ms)) return
  if (!context.due(promise.sent_ms + profile.renew_ms / ASKS_PER_RENEWAL)) return
  promise.request = (state.counter += 1)
  promise.sent_ms = context.now_ms
  promise.requests = [...promise.requests.slice(-REQUESTS_REMEMBERED), { request: promise.request, sent_ms: context.now_ms }]
  for (const host of toldOfRide(state)) context.send(host, { kind: 'promise-request', request: promise.request, epoch: native.epoch })
  // Alone in the inventory there is nobody who could take the function.
  if (promisesNeeded(state).length === 0) ride(context)
}

/**
 * A promise carries what the guard keeps. Behind one that stands still the kernel has ended the address, and asked for on and on, promises
 * would keep everybody from giving the function for as long as this agent lives. Without lease and ride a guard stops the function and says so;
 * a ride that a former agent had begun may last a while longer. Who stood still with it has to hear it first.
 */
function guardKeeps({ state: { own, promise, profile, started_ms, guard_silent }, now_ms }: Context): boolean {
  const kept = now_ms < Math.max(own.deadline_ms, promise.ride_until_ms, started_ms + profile.promise_ms)
  promise.unkept_since_ms = kept ? Infinity : Math.min(promise.unkept_since_ms, now_ms)
  return !guard_silent && now_ms - promise.unkept_since_ms < GUARD_WORD_MS
}

/** An order that carries a ride was not answered, or the guard is heard again. */
export function noteGuard(context: Context, answers: boolean): void {
  const { state } = context
  if (state.guard_silent === !answers) return
  state.guard_silent = !answers
  if (answers) context.because('Guard_answers_again')
  else context.because('Guard_does_not_answer: no promise is asked for, and others may give what this host gave', { level: 'alarm' })
}

function nativeServed(state: State): Giving | undefined {
  for (const giving of state.giving.values()) if (giving.kind === 'native' && giving.stage === 'serving') return giving
  return undefined
}

/** `epoch`: under which the asker gives its native function, the only one that rides. Silence is the refusal: nobody stops at once by a message. */
export function answerPromiseRequest(context: Context, from: string, request: number, epoch: number): void {
  const { state } = context
  if (isOver(state, from, epoch)) return context.because(`No_promise_for_${from}: epoch ${epoch} of its function is over, or is about to be`, { level: 'warning' })
  hostOf(state, from).promised_until_ms = context.now_ms + promiseGiven_ms(state.profile)
  context.send(from, { kind: 'promise', request })
}

/**
 * Whether the server's epoch has ended by the share's word, or ends by what this host has ordered itself: a claim, from its order until its outcome is known,
 * also when the start it was for has been given up, for a slow share may carry it out late; a release, which lets others claim before it is read here.
 */
function isOver(state: State, name: string, epoch: number): boolean {
  const { claim, release, claiming, releasing_ms, since_ms } = functionOf(state, name)
  // Under a generation that is over the claim would be dead.
  if (claiming?.generation === state.own.generation && claiming.epoch > epoch) return true
  if (!claim || claim.epoch < epoch) return false
  return claim.epoch > epoch ? claim.holder !== name : release !== undefined || releasing_ms >= since_ms
}

export function notePromise(context: Context, from: string, request: number): void {
  const { state } = context
  const sent_ms = state.promise.requests.find(entry => entry.request === request)?.sent_ms
  if (sent_ms === undefined) return
  state.promise.answered_ms.set(from, Math.max(sent_ms, state.promise.answered_ms.get(from) ?? -Infinity))
  ride(context)
}

/** Each promise counts from its asking, not from the answer: it began then at the earliest. All that are needed must stand, so the oldest of them decides. */
function ride(context: Context): void {
  const { promise, profile } = context.state
  const promised = newestPromises(context.state)
  const others = promised.map(host => promise.answered_ms.get(host) ?? -Infinity)
  const until_ms = Math.min(promise.sent_ms, ...others) + profile.promise_ms
  if (until_ms <= promise.ride_until_ms) return
  promise.ride_until_ms = until_ms
  context.do({ command: 'ride', until_ms, promised })
}

/** As many as are needed; whose promises may be missing is the same to everybody, so the oldest are. */
function newestPromises(state: State): string[] {
  const needed = promisesNeeded(state)
  const spared = promisesSpared(state)
  if (spared === 0) return needed
  const { answered_ms } = state.promise
  return needed.sort((one, other) => (answered_ms.get(other) ?? -Infinity) - (answered_ms.get(one) ?? -Infinity)).slice(0, needed.length - spared)
}
