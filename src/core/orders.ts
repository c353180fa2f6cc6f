/** What an operator's standing orders and a host's own word mean: who is to give nothing, and whether anything may be done at all. */
import type { Context } from './context.ts'
import { hostOf } from './context.ts'
import { isPresent } from './presence.ts'
import type { ClaimRecord, StandingOrder } from './records.ts'
import type { State } from './state.ts'

export type LeavingReason = 'maintenance' | 'shutdown' | 'reboot'

/** Why a host is to give nothing, undefined for one that stays. A word of an earlier life counts no more. */
export function leavingReason(state: State, name: string): LeavingReason | undefined {
  if (name === state.self && state.leaving) return state.leaving.why
  const { condition, lease } = hostOf(state, name)
  if (name !== state.self && condition?.leaving !== undefined && condition.generation === lease?.generation) return condition.leaving
  return state.orders.maintenance_until_ms.has(name) ? 'maintenance' : undefined
}

/** Nothing is moved, restarted or healed while the operator holds the ring. */
export function isHeld(state: State): boolean {
  return state.orders.hold_until_ms !== undefined
}

/** The holder of this claim is there, serves, and is to give the function to another host. */
export function isDraining(state: State, claim: ClaimRecord): boolean {
  return leavingReason(state, claim.holder) !== undefined && isPresent(state, claim.holder)
}

/** What the share says now; an order that could not be read again stands until its end. */
export function noteOrders(context: Context, orders: readonly StandingOrder[]): void {
  const { state, now_ms } = context
  const hold = orders.find(order => order.order === 'hold')
  if (hold && state.orders.hold_until_ms === undefined) context.because('Hold_begins: nothing is taken over, moved or healed until it ends', { level: 'warning' })
  if (hold) state.orders.hold_until_ms = now_ms + hold.remaining_ms
  else endHold(context)
  const maintained = new Map(orders.flatMap(order => (order.order === 'maintenance' ? [[order.host, now_ms + order.remaining_ms] as const] : [])))
  for (const name of state.orders.maintenance_until_ms.keys()) if (!maintained.has(name)) endMaintenance(context, name)
  for (const [name, until_ms] of maintained) {
    if (!state.orders.maintenance_until_ms.has(name)) context.because(`Maintenance_of_${name}_begins: what it gives goes to other hosts`)
    state.orders.maintenance_until_ms.set(name, until_ms)
  }
}

function endHold(context: Context): void {
  if (context.state.orders.hold_until_ms === undefined) return
  context.state.orders.hold_until_ms = undefined
  context.because('Hold_ends')
}

function endMaintenance(context: Context, name: string): void {
  context.state.orders.maintenance_until_ms.delete(name)
  context.because(`Maintenance_of_${name}_ends`)
}

/** Orders end by themselves, whether the share can be read or not. */
export function decideOrders(context: Context): void {
  const { hold_until_ms, maintenance_until_ms } = context.state.orders
  if (hold_until_ms !== undefined && context.due(hold_until_ms)) endHold(context)
  for (const [name, until_ms] of maintenance_until_ms) if (context.due(until_ms)) endMaintenance(context, name)
}
