import type { StandingOrder } from '../../core/records.ts'
import { parseJson } from '../lines.ts'
import { isName } from './share-names.ts'

/** Folder of the operator's standing orders: one file for the hold, one for each host in maintenance, replaced as a whole. */
export const ORDERS_FOLDER = 'orders'
/** A few hundred bytes; more is not ours. */
export const ORDER_LIMIT_BYTES = 4_096
/** An order without an end stands this long: ten years; none stands longer. */
const NO_END_MS = 10 * 365 * 86_400_000

/**
 * What the file holds. `since` and `until` are of one clock, its writer's, and only their distance counts: how long the order stands from when its file was
 * written. `until` null: until it is taken back, by an order that stands for no time at all.
 */
export interface OrderRecord {
  readonly schema: 'ringward.order/1'
  readonly order: StandingOrder['order']
  readonly host?: string
  readonly since: string
  readonly until: string | null
  readonly by: string
}

export function orderPath(order: StandingOrder['order'], host?: string): string {
  return `${ORDERS_FOLDER}/${order === 'hold' ? 'hold' : `maintenance-${host ?? ''}`}`
}

export function encodeOrder(record: OrderRecord): string {
  return `${JSON.stringify(record)}\n`
}

/** The order as it stands that long after its file was written, by the file server's clock; 'ended', or undefined for bytes that are no order. */
export function decodeOrder(name: string, bytes: Buffer, age_ms: number): StandingOrder | 'ended' | undefined {
  const value = parseJson(bytes.toString('utf8')) as Partial<OrderRecord> | null | undefined
  if (typeof value !== 'object' || value === null || value.schema !== 'ringward.order/1') return undefined
  const remaining_ms = remainingOf_ms(value, age_ms)
  if (remaining_ms === undefined) return undefined
  const { order, host } = value
  if (order === 'hold' && name === 'hold') return remaining_ms > 0 ? { order, remaining_ms } : 'ended'
  if (order !== 'maintenance' || typeof host !== 'string' || !isName(host) || name !== `maintenance-${host}`) return undefined
  return remaining_ms > 0 ? { order, host, remaining_ms } : 'ended'
}

/** An order without an end does not run down. Undefined: the times are none. */
function remainingOf_ms({ since, until }: Partial<OrderRecord>, age_ms: number): number | undefined {
  if (until === null) return NO_END_MS
  if (typeof until !== 'string' || typeof since !== 'string') return undefined
  const stands_ms = Date.parse(until) - Date.parse(since)
  return Number.isNaN(stands_ms) ? undefined : Math.min(stands_ms, NO_END_MS) - age_ms
}
