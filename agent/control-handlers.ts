import type { ActionStep } from '../src/control/documents.ts'
import type { ControlHandlers } from '../src/control/control-server.ts'
import type { Event } from '../src/core/event.ts'
import type { State } from '../src/core/state.ts'
import { isAgentless } from '../src/core/appliance.ts'
import { serverOf } from '../src/core/context.ts'
import { isMember, isPresent } from '../src/core/presence.ts'
import type { Clock } from '../src/edges/clock.ts'
import type { IncidentStore } from '../src/edges/log/incident-store.ts'
import type { RemoteHand } from '../src/edges/remote-hand/remote-hand.ts'
import { RingwardError } from '../src/errors.ts'
import { loadDocument } from '../src/report/load.ts'
import { ringDocument } from '../src/report/ring.ts'
import { statusDocument, type ShareReport } from '../src/report/status.ts'
import { hold, maintenance, type OperatorOrderParts } from './operator-orders.ts'
import { confirmDead, type ConfirmDeadParts } from './confirm-dead-order.ts'
import { cameTrue, patienceOf } from './patience.ts'
import type { Relay } from './relay.ts'
import { returnHome } from './return-order.ts'

export interface ControlParts {
  readonly state: State
  readonly clock: Clock
  readonly incidents: IncidentStore
  readonly hand: RemoteHand
  readonly orders: OperatorOrderParts['share']
  readonly share: () => ShareReport
  readonly relay: () => Relay
  readonly ping: ConfirmDeadParts['ping']
  readonly post: (event: Event) => void
}

const FLAG_LIMIT_MS = 4_000

/** One document, from this host's own knowledge. */
export async function answer(parts: ControlParts, verb: string): Promise<unknown> {
  const moments = { now_ms: parts.clock.boot_ms(), wall: parts.clock.wall() }
  switch (verb) {
    case 'status': return statusDocument(parts.state, moments, parts.share())
    case 'ring': return ringDocument(parts.state, moments)
    case 'load': return loadDocument(parts.state, moments)
    case 'incidents': return await parts.incidents.document()
    default: throw new RingwardError('CONTROL_REFUSED', `${verb} is not known to this agent`)
  }
}

/** What the CLI may ask. Queries take `host` to have another host's agent answer. */
export function controlHandlers(parts: ControlParts): ControlHandlers {
  const query = (verb: string) => async (args: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const host = args['host']
    if (typeof host !== 'string' || host === parts.state.self) return await answer(parts, verb)
    if (!parts.state.order.includes(host)) throw new RingwardError('USAGE', `there is no host ${host}; the group has ${parts.state.order.join(', ')}`)
    return await parts.relay().ask(host, verb)
  }
  return { status: query('status'), ring: query('ring'), load: query('load'), incidents: query('incidents'), flag: (args, signal) => flag(parts, args, signal), return: (args, signal) => returnHome(parts, args, signal),
    maintenance: (args, signal) => maintenance({ ...parts, share: parts.orders }, args, signal), hold: (args, signal) => hold({ ...parts, share: parts.orders }, args, signal), 'confirm-dead': (args, signal) => confirmDead(parts, args, signal) }
}

/** Flag files of hosts, through their remote hands; with `wait_ms` each step also waits for what the ring sees of it. */
async function flag(parts: ControlParts, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
  const { hosts, all, dry_run } = args
  const { state, clock } = parts
  const on = args['on'] === true
  const named = all === true ? state.order.filter(host => !isAgentless(state, host)) : Array.isArray(hosts) ? hosts.filter(host => typeof host === 'string') : []
  const unknown = named.filter(host => !state.order.includes(host))
  if (unknown.length > 0 || named.length === 0) throw new RingwardError('USAGE', `${unknown.join(', ') || 'no host'}: not in the group, which has ${state.order.join(', ')}`)
  const without_agent = named.filter(host => isAgentless(state, host))
  if (without_agent.length > 0) throw new RingwardError('USAGE', `${without_agent.join(', ')}: without an agent there is no flag; it is watched as long as it stands in group.toml`)
  const order: FlagOrder = { on, dry_run: dry_run === true, wait_ms: patienceOf(args['wait_ms']), signal }
  // Without its own flag this agent ends: it comes last, when the others have been waited for.
  const steps = await Promise.all(named.filter(host => host !== state.self).map(host => switchFlag(parts, host, order)))
  if (named.includes(state.self)) steps.push(await switchFlag(parts, state.self, order))
  steps.sort((a, b) => named.indexOf(a.host) - named.indexOf(b.host))
  return { schema: 'ringward.action/1', at: clock.wall().toISOString(), verb: on ? 'flag on' : 'flag off', dry_run: order.dry_run, steps }
}

interface FlagOrder {
  readonly on: boolean
  readonly dry_run: boolean
  readonly wait_ms: number
  readonly signal: AbortSignal
}

async function switchFlag(parts: ControlParts, host: string, { on, dry_run, wait_ms, signal }: FlagOrder): Promise<ActionStep> {
  const act = `${on ? 'create' : 'remove'} the flag file`
  if (dry_run) return { host, act, outcome: 'planned' }
  const { address, ssh_host_key } = serverOf(parts.state, host)
  const { ok, detail } = await parts.hand.run({ name: host, address, ssh_host_key }, on ? 'flag-on' : 'flag-off', [], FLAG_LIMIT_MS, signal)
  // This agent cannot see its own end.
  const in_time = !ok || wait_ms === 0 || host === parts.state.self || await cameTrue(() => on ? isPresent(parts.state, host) : !isMember(parts.state, host), wait_ms, parts.clock, signal)
  if (in_time) return { host, act, outcome: ok ? 'done' : 'failed', ...detail === '' ? {} : { reason: detail } }
  return { host, act, outcome: 'failed', reason: `the flag is ${on ? 'set' : 'gone'}, but ${host} ${on ? 'was not in the ring' : 'was still a member of the ring'} ${wait_ms} ms later; see \`journalctl -t ringward\` there` }
}
