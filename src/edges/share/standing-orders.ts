import type { StandingOrder } from '../../core/records.ts'
import { parseJson } from '../lines.ts'
import { isName } from './share-names.ts'

/** Folder of the operator's standing orders: one file for the hold, one for each host in maintenance, replaced as a whole. */
export const ORDERS_FOLDER = 'orders'
/** A few hundred bytes; more is not ours. */
export const ORDER_LIMIT_BYTES = 4_096
/** An order without an end stands this long: ten years. */
const NO_END_MS = 10 * 365 * 86_400_000

/** What the file holds; `until` null: until it is taken back. An order is taken back by one that has ended. */
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

/** The order as it stands at that wall-clock time: 'ended', or undefined for bytes that are no order. */
export function decodeOrder(name: string, bytes: Buffer, wall_ms: number): StandingOrder | 'ended' | undefined {
  const value = parseJson(bytes.toString('utf8')) as Partial<OrderRecord> | null | undefined
  if (typeof value !== 'object' || value === null || value.schema !== 'ringward.order/1') return undefined
  const until_ms = value.until === null ? wall_ms + NO_END_MS : typeof value.until === 'string' ? Date.parse(value.until) : Number.NaN
  if (Number.isNaN(until_ms)) return undefined
  const remaining_ms = Math.min(until_ms - wall_ms, NO_END_MS)
  const { order, host } = value
  if (order === 'hold' && name === 'hold') return remaining_ms > 0 ? { order, remaining_ms } : 'ended'
  if (order !== 'maintenance' || typeof host !== 'string' || !isName(host) || name !== `maintenance-${host}`) return undefined
  return remaining_ms > 0 ? { order, host, remaining_ms } : 'ended'
}
