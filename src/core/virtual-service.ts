/**
 * A virtual server is itself looked after while it serves (thesis chapter 2, MSBS): service dialogues through its VIP. What does not
 * answer there is given up by its host and started afresh, in place or elsewhere. If the target returns meanwhile, that wins.
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

export function noteVirtualServiceProbed(context: Context, { target: name, verdict, detail, timed_out = false }: Extract<Event, { event: 'probed' }>): void {
  const { state } = context
  const claim = state.functions.get(name)?.claim
  if (!claim || !virtualServicesWatched(context).includes(name)) return
  if (verdict !== 'OK' && timed_out && isSlow(state)) return
  const former = state.virtual_services.get(name)
  const known = former?.epoch === claim.epoch ? former : { epoch: claim.epoch, bad_rounds: 0, answered: false }
  if (verdict === 'OK') return void state.virtual_services.set(name, { epoch: claim.epoch, bad_rounds: 0, answered: true })
  const bad_rounds = known.bad_rounds + 1
  state.virtual_services.set(name, { ...known, bad_rounds })
  if (bad_rounds < (known.answered ? BAD_ROUNDS : FIRST_ANSWER_ROUNDS) || isHeld(state)) return
  context.because(`Virtual_server_of_${name}_on_${claim.holder}_does_not_serve_(${verdict}: ${detail}): it is started afresh`, { level: 'alarm', incident: state.watches.get(name)?.incident })
  state.virtual_services.delete(name)
  context.send(claim.holder, { kind: 'yield', function: name, epoch: claim.epoch })
}
