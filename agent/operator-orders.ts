import type { ActionDocument, ActionStep } from '../src/control/documents.ts'
import { isAgentless } from '../src/core/appliance.ts'
import { claimsHeldBy, functionOf } from '../src/core/context.ts'
import type { State } from '../src/core/state.ts'
import type { Clock } from '../src/edges/clock.ts'
import type { Share } from '../src/edges/share/share.ts'
import { encodeOrder, orderPath } from '../src/edges/share/standing-orders.ts'
import { RingwardError } from '../src/errors.ts'
import { cameTrue, patienceOf } from './patience.ts'

export interface OperatorOrderParts {
  readonly state: State
  readonly clock: Clock
  readonly share: Pick<Share, 'writeView'>
}

type Arguments = Readonly<Record<string, unknown>>

const WRITE_LIMIT_MS = 3_000
/** Longer is a mistake: a year. */
const DURATION_LIMIT_MS = 366 * 86_400_000

/** `maintenance on|off HOST [--for]`: the order stands on the share and outlives every reboot; with `wait_ms` until the host is empty, or home. */
export async function maintenance(parts: OperatorOrderParts, args: Arguments, signal: AbortSignal): Promise<ActionDocument> {
  const { state, clock } = parts
  const { host, on, dry_run, wait_ms } = args
  if (typeof host !== 'string' || !state.order.includes(host)) throw new RingwardError('USAGE', `there is no host ${String(host)}; the group has ${state.order.join(', ')}`)
  if (isAgentless(state, host)) throw new RingwardError('USAGE', `${host} has no agent that could hand over; use "ringward hold on" while you work on it`)
  const for_ms = durationOf(args)
  const document = documentOf(parts, `maintenance ${on === true ? 'on' : 'off'}`, dry_run === true)
  const act = on === true ? `what it gives goes to other hosts, and nothing returns ${for_ms === undefined ? 'until "ringward maintenance off"' : `before ${endOf(clock, for_ms)}`}` : 'it takes part again and gets its function back'
  if (on !== true && !state.orders.maintenance_until_ms.has(host)) return document({ host, act, outcome: 'unchanged', reason: 'it is not in maintenance' })
  if (dry_run === true) return document({ host, act, outcome: 'planned' })
  await write(parts, 'maintenance', host, on === true, for_ms)
  const done = on === true
    ? () => state.orders.maintenance_until_ms.has(host) && claimsHeldBy(state, host).length === 0
    : () => !state.orders.maintenance_until_ms.has(host) && functionOf(state, host).claim?.holder === host
  const patience_ms = patienceOf(wait_ms)
  if (patience_ms === 0) return document({ host, act, outcome: 'done' })
  const came = await cameTrue(done, patience_ms, clock, signal)
  return document({ host, act, outcome: came ? 'done' : 'failed', ...(came ? {} : { reason: `${on === true ? 'it still gives something' : 'its function is not home yet'}; "ringward status" and "ringward log" tell why, the order stands` }) })
}

/** `hold on|off [--for]`: the whole ring watches and does nothing. */
export async function hold(parts: OperatorOrderParts, args: Arguments, signal: AbortSignal): Promise<ActionDocument> {
  const { state, clock } = parts
  const { on, dry_run, wait_ms } = args
  const for_ms = durationOf(args)
  const document = documentOf(parts, `hold ${on === true ? 'on' : 'off'}`, dry_run === true)
  const act = on === true ? `nothing is taken over, moved, restarted or healed ${for_ms === undefined ? 'until "ringward hold off"' : `before ${endOf(clock, for_ms)}`}` : 'the ring acts again'
  if (on !== true && state.orders.hold_until_ms === undefined) return document({ host: 'all hosts', act, outcome: 'unchanged', reason: 'there is no hold' })
  if (dry_run === true) return document({ host: 'all hosts', act, outcome: 'planned' })
  await write(parts, 'hold', undefined, on === true, for_ms)
  const patience_ms = patienceOf(wait_ms)
  const came = patience_ms === 0 || await cameTrue(() => (state.orders.hold_until_ms !== undefined) === (on === true), patience_ms, clock, signal)
  return document({ host: 'all hosts', act, outcome: came ? 'done' : 'failed', ...(came ? {} : { reason: 'the order was written and is not seen on the shared area yet' }) })
}

function documentOf({ clock }: OperatorOrderParts, verb: string, dry_run: boolean): (step: ActionStep) => ActionDocument {
  return step => ({ schema: 'ringward.action/1', at: clock.wall().toISOString(), verb, dry_run, steps: [step] })
}

function durationOf({ for_ms }: Arguments): number | undefined {
  if (for_ms === undefined || for_ms === null) return undefined
  if (typeof for_ms !== 'number' || !(for_ms > 0 && for_ms <= DURATION_LIMIT_MS)) throw new RingwardError('USAGE', 'write a time up to a year, for example --for 1h')
  return for_ms
}

function endOf(clock: Clock, for_ms: number): string {
  return new Date(clock.wall().getTime() + for_ms).toISOString()
}

/** An order is taken back by one that has ended already. */
async function write({ state, clock, share }: OperatorOrderParts, order: 'maintenance' | 'hold', host: string | undefined, on: boolean, for_ms: number | undefined): Promise<void> {
  const since = clock.wall().toISOString()
  const until = !on ? since : for_ms === undefined ? null : endOf(clock, for_ms)
  const text = encodeOrder({ schema: 'ringward.order/1', order, ...(host === undefined ? {} : { host }), since, until, by: state.self })
  await share.writeView(orderPath(order, host), text, { deadline_ms: WRITE_LIMIT_MS })
}
