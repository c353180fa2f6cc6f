/**
 * A virtual server is itself looked after while it serves (thesis chapter 2, MSBS): service dialogues through its VIP. What does not
 * answer there is given up by its host and started afresh, in place or elsewhere; what answers too late is given time. If the target returns meanwhile, that wins.
 */
import type { Context } from './context.ts'
import { functionOf } from './context.ts'
import type { Event } from './event.ts'
import { giverOf } from './incident.ts'
import { isSlow } from './local-health.ts'
import { isHeld } from './orders.ts'
import { isPresent } from './presence.ts'
import { p1Of } from './ring.ts'

/** Rounds in a row without an answer: one may be lost on the way, and a restart cuts every client. */
const BAD_ROUNDS = 3
/** A virtual server that never answered yet may still be starting its services (a cold start takes 2–5 s). */
const FIRST_ANSWER_ROUNDS = 15
/**
 * One that takes connections and answers too late has too much to do, or hangs. A restart cuts its clients, who all come again at once, and helps only in the
 * second case: it comes after ten times as many rounds, and after twice as many each time (480 at most) until the function is home.
 */
const OVERLOADED_ROUNDS = 30
const DOUBLINGS_LIMIT = 4

/** The functions this host looks after: it is P1 of their own server, and a virtual server gives them. */
export function virtualServicesWatched(context: Context): string[] {
  const { state } = context
  return state.order.filter(name => {
    const { claim } = functionOf(state, name)
    const manager = p1Of(state.order, name, host => isPresent(state, host)) ?? state.self
    return claim?.kind === 'virtual' && manager === state.self && giverOf(context, name) === claim.holder
  })
}

export function probeVirtualServices(context: Context): void {
  const watched = new Set(virtualServicesWatched(context))
  for (const name of context.state.virtual_services.keys()) if (!watched.has(name)) context.state.virtual_services.delete(name)
  for (const name of watched) context.do({ command: 'probe', target: name, where: 'vip' })
}

export function noteVirtualServiceProbed(context: Context, { target: name, verdict, timed_out = false, slow = false, detail }: Extract<Event, { event: 'probed' }>): void {
  const { state } = context
  const facts = state.functions.get(name)
  const claim = facts?.claim
  if (!claim || !virtualServicesWatched(context).includes(name)) return
  if (verdict !== 'OK' && timed_out && isSlow(state)) return
  const former = state.virtual_services.get(name)
  const known = former?.epoch === claim.epoch ? former : { epoch: claim.epoch, absent_rounds: 0, slow_rounds: 0, answered: false }
  if (verdict === 'OK') return void state.virtual_services.set(name, { epoch: claim.epoch, absent_rounds: 0, slow_rounds: 0, answered: true })
  const now = { ...known, absent_rounds: slow ? 0 : known.absent_rounds + 1, slow_rounds: known.slow_rounds + (slow ? 1 : 0) }
  state.virtual_services.set(name, now)
  const patience = OVERLOADED_ROUNDS * 2 ** Math.min(facts.overload_restarts, DOUBLINGS_LIMIT)
  const about = { level: 'alarm', incident: state.watches.get(name)?.incident } as const
  if (slow && now.slow_rounds === BAD_ROUNDS) {
    context.because(`Virtual_server_of_${name}_on_${claim.holder}_is_overloaded_(${verdict}: ${detail}): it is left running, and started afresh if ${patience} rounds bring no answer; less load, or more memory and processors for it, would help`, about)
  }
  const overloaded = now.slow_rounds >= patience
  if ((now.absent_rounds < (now.answered ? BAD_ROUNDS : FIRST_ANSWER_ROUNDS) && !overloaded) || isHeld(state)) return
  if (overloaded) facts.overload_restarts += 1
  context.because(`Virtual_server_of_${name}_on_${claim.holder}_does_not_serve_(${verdict}: ${detail}): it is started afresh`, about)
  state.virtual_services.delete(name)
  context.send(claim.holder, { kind: 'yield', function: name, epoch: claim.epoch })
}
