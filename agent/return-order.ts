import type { ActionDocument, ActionStep } from '../src/control/documents.ts'
import type { Event } from '../src/core/event.ts'
import { isThere } from '../src/core/appliance.ts'
import { giverOf } from '../src/core/incident.ts'
import type { State } from '../src/core/state.ts'
import type { Clock } from '../src/edges/clock.ts'
import { RingwardError } from '../src/errors.ts'
import { cameTrue, patienceOf } from './patience.ts'

export interface ReturnParts {
  readonly state: State
  readonly clock: Clock
  readonly post: (event: Event) => void
}

/** `return HOST`: the operator lets a function go home whose policy is manual. It goes after three good rounds, like any other. */
export async function returnHome({ state, clock, post }: ReturnParts, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ActionDocument> {
  const { host, dry_run } = args
  const wait_ms = patienceOf(args['wait_ms'])
  const facts = typeof host === 'string' && state.order.includes(host) ? state.functions.get(host) : undefined
  if (!facts) throw new RingwardError('USAGE', `there is no host ${String(host)}; the group has ${state.order.join(', ')}`)
  const { name, claim } = facts
  const document = (outcome: ActionStep['outcome'], reason?: string): ActionDocument => ({
    schema: 'ringward.action/1', at: clock.wall().toISOString(), verb: 'return', dry_run: dry_run === true,
    steps: [{ host: name, act: `let its function return to ${name}`, outcome, ...(reason === undefined ? {} : { reason }) }],
  })
  if (claim?.holder === name) return document('unchanged', `${name} gives its function itself`)
  if (!isThere(state, name)) throw new RingwardError('CONTROL_REFUSED', `${name} is not in the ring: start it, or set its flag, and ask again`)
  if (dry_run === true) return document('planned')
  post({ event: 'return-wanted', function: name })
  if (wait_ms === 0) return document('done', 'its manager hands it over after three good rounds')
  return await cameTrue(() => giverOf({ state }, name) === name, wait_ms, clock, signal)
    ? document('done') : document('failed', 'it has not returned in time; "ringward incidents" and "ringward log" tell why')
}
