/**
 * Announced leave and maintenance (protocol 6): a host that goes on purpose has its functions given by others first. Its P1 finds the
 * other hosts, as in a failure, and the leaving host stops and hands over when the virtual server stands ready.
 */
import type { Context } from './context.ts'
import { functionOf, hostOf } from './context.ts'
import { handOver, stopGiving } from './giving.ts'
import { isDraining, isHeld, leavingReason } from './orders.ts'
import { inGoodStanding, isPresent } from './presence.ts'
import type { Rehoming } from './state.ts'

/** A shutdown waits no longer for a successor: systemd's own patience is bounded (the Executer's is 10 s). */
const LEAVE_LIMIT_MS = 8_000
/**
 * A machine that has just been resumed fetches its memory and is slow (its host with it, where it is emulated). Nothing is cut meanwhile, so it is
 * left to come round before the holder stops.
 */
const WARM_UP_MS = 700
/** The holder answers by stopping; a lost word is repeated. */
const READY_REPEAT_MS = 500

export function noteLeave(context: Context, why: 'shutdown' | 'reboot'): void {
  const { state } = context
  if (state.leaving) return
  context.because(`This_host_leaves_(${why}): what it gives goes to other hosts first`)
  state.leaving = { why, since_ms: context.now_ms }
  state.condition_due = true
}

/** A host that leaves does not wait for ever: what nobody took is stopped and released. */
export function decideLeaving(context: Context): void {
  const { state } = context
  if (!state.leaving) return
  const hopeless = isHeld(state) || !state.order.some(name => name !== state.self && isPresent(state, name) && leavingReason(state, name) === undefined)
  if (!hopeless && !context.due(state.leaving.since_ms + LEAVE_LIMIT_MS)) return
  for (const giving of [...state.giving.values()]) {
    if (giving.stage !== 'stopping') stopGiving(context, giving, hopeless ? 'this host leaves and nobody can take it' : 'this host leaves and nobody took it in time')
  }
}

/** At the manager: the nominee stands ready, so the leaving holder may stop. */
export function askToHandOver(context: Context, rehoming: Rehoming): void {
  const { state } = context
  const { nominee, epoch, incident, function: name } = rehoming
  const { claim, release } = functionOf(state, name)
  if (nominee === undefined || rehoming.stage !== 'prepared' || !claim || release || !isDraining(state, claim)) return
  if (!context.due(rehoming.stage_ms + WARM_UP_MS)) return
  // Who has just thawed knows of the nominee what is long past: others have acted in its place.
  if (!inGoodStanding(state, context.now_ms)) return
  const generation = nominee === state.self ? state.own.generation : hostOf(state, nominee).lease?.generation
  if (generation === undefined || !context.due(rehoming.ready_ms + READY_REPEAT_MS)) return
  rehoming.ready_ms = context.now_ms
  context.send(claim.holder, { kind: 'ready', incident, function: name, epoch, to: nominee, generation })
}

/** At the holder: only one that leaves obeys, and only for what it gives. */
export function noteReady(context: Context, name: string, epoch: number, to: string, generation: number): void {
  const { state } = context
  const giving = state.giving.get(name)
  if (!giving || giving.epoch !== epoch || to === state.self || !state.hosts.has(to)) return
  if (leavingReason(state, state.self) === undefined) return
  handOver(context, giving, to, generation, `this host leaves (${leavingReason(state, state.self)}) and ${to} stands ready`)
}
