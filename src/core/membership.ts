/**
 * Joining and leaving for good at run time: another inventory has been published. Who is new is looked at from now on; who is gone leaves the
 * order, and everything that was under way for it ends. A former member whose claim still stands stays known: its silence is the proof others need.
 */
import type { Context } from './context.ts'
import { releaseEpoch, stopGiving } from './giving.ts'
import { closeIncident } from './incident.ts'
import type { Inventory } from './inventory.ts'
import { isPresent } from './presence.ts'
import { withdrawNomination } from './rehoming.ts'
import { newFunctionFacts, newHostFacts, ringOf, type State } from './state.ts'

export function reconfigure(context: Context, inventory: Inventory): void {
  const { state, now_ms } = context
  const order = inventory.servers.map(server => server.name)
  if (!order.includes(state.self)) {
    return context.because(`Version_${inventory.version}_does_not_hold_this_host: management ends here; until then the former ring stands`, { level: 'alarm' })
  }
  const joined = order.filter(name => !state.order.includes(name))
  const gone = state.order.filter(name => !order.includes(name))
  context.because(`Version_${inventory.version}_is_taken_up_(was_${state.inventory.version})`)
  if (inventory.ride !== state.inventory.ride) context.because(`Rides_go_on_by_the_promises_of_${inventory.ride ?? 'all'}_from_now_on_(was_${state.inventory.ride ?? 'all'})`, { level: 'warning' })
  for (const name of joined) context.because(`Server_${name}_joins_the_ring`)
  for (const name of gone) context.because(`Server_${name}_is_taken_out_of_the_ring`, { level: 'warning' })
  for (const name of gone) endWorkFor(context, name)
  Object.assign(state, ringOf(inventory))
  for (const name of joined) {
    if (!state.hosts.has(name)) state.hosts.set(name, newHostFacts(name, now_ms))
    if (!state.functions.has(name)) state.functions.set(name, newFunctionFacts(name, now_ms))
  }
  for (const name of gone) stopGivingFor(context, name)
  forgetFacts(state)
  state.condition_due = true
  state.share.look = true
}

/** What was looked for, healed or awaited for that server has lost its subject. */
function endWorkFor(context: Context, name: string): void {
  const { state } = context
  for (const rehoming of [...state.rehoming.values()]) {
    const incident = state.incidents.get(rehoming.incident)
    if (rehoming.function === name || incident?.target === name) withdrawNomination(context, rehoming, `${name} is taken out of the ring`)
    else if (rehoming.nominee === name) {
      rehoming.tried.add(name)
      rehoming.nominee = undefined
    }
  }
  for (const incident of [...state.incidents.values()]) if (incident.target === name) closeIncident(context, incident, 'forgotten', 'the target is taken out of the ring')
  for (const incident of state.incidents.values()) incident.functions.delete(name)
  for (const known of [state.standing_by, state.consents, state.virtual_services, state.probe_requests, state.promise.answered_ms]) known.delete(name)
}

/** Its virtual server here ends with it. */
function stopGivingFor(context: Context, name: string): void {
  const giving = context.state.giving.get(name)
  if (!giving) return
  giving.hand_over = undefined
  giving.nominator = ''
  if (giving.stage !== 'stopping') stopGiving(context, giving, `${name} is taken out of the ring`)
}

/**
 * A claim of ours on a function that was taken out is released, so that nothing is left over should its server join again; but not before all present
 * hosts know of it: one that does not would have the function given afresh.
 */
export function decideForgotten(context: Context): void {
  const { state } = context
  if (state.functions.size === state.order.length) return
  for (const { name, claim, release, given_up_epoch } of state.functions.values()) {
    if (state.order.includes(name) || state.giving.has(name) || claim?.holder !== state.self || release) continue
    const all_know = state.order.every(host => host === state.self || !isPresent(state, host) || state.hosts.get(host)?.condition?.version === state.inventory.version)
    if (!all_know) continue
    if (given_up_epoch < claim.epoch) context.because(`Release_${name}_epoch_${claim.epoch}: ${name} is taken out of the ring, and every host knows it`)
    releaseEpoch(context, name, claim.epoch, 'goodbye')
  }
}

/** A function that is claimed, given or was given up here keeps its facts: what is given has still to end, and what was given up must never be taken up again under the same epoch. */
function forgetFacts(state: State): void {
  for (const [name, { claim, given_up_epoch }] of state.functions) {
    if (!state.order.includes(name) && !state.giving.has(name) && claim?.holder !== state.self && given_up_epoch === 0) state.functions.delete(name)
  }
  const holders = new Set([...state.functions.values()].map(({ claim }) => claim?.holder))
  for (const name of state.hosts.keys()) if (!state.order.includes(name) && !holders.has(name)) state.hosts.delete(name)
}
