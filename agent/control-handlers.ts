import type { ActionStep } from '../src/control/documents.ts'
import type { ControlHandlers } from '../src/control/control-server.ts'
import type { State } from '../src/core/state.ts'
import { serverOf } from '../src/core/context.ts'
import type { Clock } from '../src/edges/clock.ts'
import type { IncidentStore } from '../src/edges/log/incident-store.ts'
import type { RemoteHand } from '../src/edges/remote-hand/remote-hand.ts'
import { RingwardError } from '../src/errors.ts'
import { loadDocument } from '../src/report/load.ts'
import { ringDocument } from '../src/report/ring.ts'
import { statusDocument, type ShareReport } from '../src/report/status.ts'
import type { Relay } from './relay.ts'

export interface ControlParts {
  readonly state: State
  readonly clock: Clock
  readonly incidents: IncidentStore
  readonly hand: RemoteHand
  readonly share: () => ShareReport
  readonly relay: () => Relay
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
    if (!parts.state.hosts.has(host)) throw new RingwardError('USAGE', `there is no host ${host}; the group has ${parts.state.order.join(', ')}`)
    return await parts.relay().ask(host, verb)
  }
  return { status: query('status'), ring: query('ring'), load: query('load'), incidents: query('incidents'), flag: (args, signal) => flag(parts, args, signal) }
}

/** Flag files of other hosts, through their remote hands. */
async function flag(parts: ControlParts, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
  const { on, hosts, all, dry_run } = args
  const { state, clock } = parts
  const named = all === true ? state.order : Array.isArray(hosts) ? hosts.filter(host => typeof host === 'string') : []
  const unknown = named.filter(host => !state.hosts.has(host))
  if (unknown.length > 0 || named.length === 0) throw new RingwardError('USAGE', `${unknown.join(', ') || 'no host'}: not in the group, which has ${state.order.join(', ')}`)
  const verb = on === true ? 'flag-on' : 'flag-off'
  const steps = await Promise.all(named.map(async (host): Promise<ActionStep> => {
    const act = `${verb === 'flag-on' ? 'create' : 'remove'} the flag file`
    if (dry_run === true) return { host, act, outcome: 'planned' }
    const { address, ssh_host_key } = serverOf(state, host)
    const { ok, detail } = await parts.hand.run({ name: host, address, ssh_host_key }, verb, [], FLAG_LIMIT_MS, signal)
    return { host, act, outcome: ok ? 'done' : 'failed', ...(detail === '' ? {} : { reason: detail }) }
  }))
  return { schema: 'ringward.action/1', at: clock.wall().toISOString(), verb: on === true ? 'flag on' : 'flag off', dry_run: dry_run === true, steps }
}
