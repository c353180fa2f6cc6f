/** The way home (protocol 6): a target that is back and stays good gets its function again from whoever gives it, with an agent or without. */
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { giverOf } from './incident.ts'
import { FLAPPING_WINDOW_MS } from './observation.ts'
import { isHeld, leavingReason } from './orders.ts'
import { isPresent, isRenewing } from './presence.ts'
import { p1Of, p2Of } from './ring.ts'
import type { FunctionFacts, State, Watch } from './state.ts'

/** Rounds with good services, without the VIP, before a function returns. */
export const STABLE_ROUNDS = 3
/** 48 rounds at most: whoever was good for so long is let home, however often it has failed; the alarm stands. */
const DOUBLINGS_LIMIT = 4
/** An unanswered request to hand over is repeated. */
const RETURN_RETRY_MS = 10_000

/** The operator's wish reaches everybody: whoever is P1 of that server when it is healthy acts on it. */
export function wantReturn(context: Context, name: string): void {
  if (!context.state.order.includes(name)) return
  functionOf(context.state, name).return_wanted = true
  context.because(`Return_of_${name}_is_wanted_by_the_operator`)
}

/** Each server with an agent that is here again without its function; one without is its P1's matter (appliance-vip.ts). */
export function decideReturns(context: Context): void {
  const { state } = context
  if (isHeld(state)) return
  for (const { name } of state.inventory.servers) {
    const facts = functionOf(state, name)
    const { claim, release } = facts
    if (claim?.holder === name) facts.return_wanted = false
    if (!claim || release || claim.holder === name || name === state.self) continue
    const watch = state.watches.get(name)
    if (!watch || leavingReason(state, name) !== undefined || !asksForReturn(state, name)) continue
    const { lease, reachable } = hostOf(state, name)
    if (!isRenewing(state, name, context.now_ms) || !lease || !reachable) continue
    askToReturn(context, watch, lease.generation)
  }
}

/** P1; and P2 when it does not reach P1, which is there by its lease and may reach nobody: asked twice, a holder hands over once. */
function asksForReturn(state: State, name: string): boolean {
  const present = (host: string): boolean => isPresent(state, host)
  const first = p1Of(state.order, name, present)
  if (first === state.self) return true
  return first !== undefined && !hostOf(state, first).reachable && p2Of(state.order, name, present) === state.self
}

/** Asks the holder to hand over when policy, good rounds and the holder's own word allow it. */
export function askToReturn(context: Context, watch: Watch, generation: number): void {
  const { state } = context
  const { target, service } = watch
  const facts = functionOf(state, target)
  const { claim } = facts
  if (!claim || (serverOf(state, target).return === 'manual' && !facts.return_wanted)) return
  if (service.good_rounds < stableRounds(context, facts)) return
  if (giverOf(context, target) !== claim.holder || !context.due(facts.returning_ms + RETURN_RETRY_MS)) return
  facts.returning_ms = context.now_ms
  const incident = watch.incident ?? ''
  context.because(`Virtual_IP_${target}_(${claim.holder}->${target}): ${service.good_rounds} good rounds`, { incident })
  context.send(claim.holder, { kind: 'return', incident, function: target, epoch: claim.epoch, to: target, generation })
}

/** Three good rounds, and twice as many for each homecoming within the hour: a server that flaps cuts its clients each time (protocol 6). */
function stableRounds(context: Context, facts: FunctionFacts): number {
  const homecomings = facts.came_home_ms.filter(at_ms => context.now_ms - at_ms < FLAPPING_WINDOW_MS).length
  const rounds = STABLE_ROUNDS * 2 ** Math.min(homecomings, DOUBLINGS_LIMIT)
  if (homecomings > 1 && facts.flapping_told < homecomings) {
    facts.flapping_told = homecomings
    context.because(`${facts.name}_is_flapping: it came home ${homecomings} times within the hour and goes home again after ${rounds} good rounds; find out why it fails`, { level: 'alarm', incident: context.state.watches.get(facts.name)?.incident })
  }
  if (homecomings === 0) facts.flapping_told = 0
  return rounds
}
