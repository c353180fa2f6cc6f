/** `ringward.status/1`: everything as this host sees it, from its core's state alone. It never waits for anybody. */
import type { FunctionStatus, HostStatus, OpenIncident, StatusDocument, VirtualServerStatus, WatchMode, WatchStatus } from '../control/documents.ts'
import { functionOf, hostOf, serverOf } from '../core/context.ts'
import { giverOf } from '../core/incident.ts'
import { candidatesFor, loadsOf } from '../core/placement.ts'
import { isMember, isPresent, ownLeaseGood } from '../core/presence.ts'
import type { State } from '../core/state.ts'
import { hostStateOf } from './host-state.ts'
import { stamp, type Moments } from './moments.ts'

export interface ShareReport {
  readonly state: 'ok' | 'slow' | 'silent' | 'error' | 'unknown'
  readonly latency_ms: number | null
}

export function statusDocument(state: State, moments: Moments, share: ShareReport): StatusDocument {
  const functions = state.order.map(name => functionStatus(state, moments, name))
  const hosts = state.order.map(name => hostStatus(state, moments, name))
  const unprotected = unprotectedFunctions(state)
  const incidents_open = [...state.incidents.values()].map((incident): OpenIncident => ({
    id: incident.id, target: incident.target, trouble: incident.trouble, manager: state.self, detected: stamp(moments, incident.detected_ms) ?? '', stage: incident.healing.step,
  }))
  return {
    schema: 'ringward.status/1', at: moments.wall.toISOString(), host: state.self, version: state.inventory.version, profile: state.profile.name, interval_ms: state.inventory.interval_ms,
    ...verdictOf(state, moments, functions, hosts, unprotected.length), hosts, functions,
    virtual_servers: state.order.map(name => virtualServerStatus(state, name)),
    share: { ...share, age_ms: Number.isFinite(state.share.last_returned_ms) ? Math.round(moments.now_ms - state.share.last_returned_ms) : null },
    promises: promisesOf(state, moments), unprotected, incidents_open, warnings: warningsOf(state, moments),
  }
}

function hostStatus(state: State, moments: Moments, name: string): HostStatus {
  const host = hostOf(state, name)
  const watches = name === state.self ? [...state.watches.values()] : host.condition?.watches ?? []
  const own = name === state.self
  const age_ms = own ? renewedAge_ms(state, moments) : host.lease ? Math.round(moments.now_ms - host.lease_since_ms) : null
  const gossip_ms = moments.now_ms - host.condition_ms
  return {
    name, state: hostStateOf(state, name), age_ms: own ? 0 : Number.isFinite(gossip_ms) ? Math.round(Math.min(gossip_ms, age_ms ?? Infinity)) : age_ms,
    lease: { age_ms, deadline_ms: state.profile.stop_ms, good: own ? ownLeaseGood(state, moments.now_ms) : age_ms !== null && isPresent(state, name) },
    targets: isPresent(state, name) ? watches.map(watch => watchStatus(watch, moments)).sort((a, b) => a.priority - b.priority) : [],
  }
}

/** Since when is known of the own watches only; gossip carries no times. */
function watchStatus(watch: { readonly target: string; readonly priority: 1 | 2; readonly mode: string; readonly mode_since_ms?: number }, moments: Moments): WatchStatus {
  const since = watch.mode_since_ms === undefined ? null : stamp(moments, watch.mode_since_ms)
  return { name: watch.target, priority: watch.priority, mode: watch.mode as WatchMode, ...(since === null ? {} : { since }) }
}

function renewedAge_ms(state: State, moments: Moments): number | null {
  return state.own.deadline_ms === 0 ? null : Math.round(moments.now_ms - (state.own.deadline_ms - state.profile.stop_ms))
}

function functionStatus(state: State, moments: Moments, name: string): FunctionStatus {
  const { claim, since_ms } = functionOf(state, name)
  const giver = giverOf({ state }, name)
  return {
    name, vip: serverOf(state, name).vip, giver: giver ?? null, kind: giver === undefined || !claim ? 'none' : claim.kind, epoch: claim?.epoch ?? 0,
    since: claim && giver !== undefined ? stamp(moments, since_ms) : null,
  }
}

function virtualServerStatus(state: State, name: string): VirtualServerStatus {
  const { virtual_server } = serverOf(state, name)
  const about = { name: virtual_server.name, for: name, standby: virtual_server.standby }
  for (const host of state.order) {
    const giving = host === state.self ? state.giving.get(name) : isPresent(state, host) ? hostOf(state, host).condition?.giving.find(entry => entry.function === name) : undefined
    if (giving?.kind !== 'virtual') continue
    const running = giving.stage === 'serving' || giving.stage === 'starting' || giving.stage === 'stopping'
    return { ...about, host, state: running ? 'running' : giving.stage === 'preparing' ? 'preparing' : 'paused' }
  }
  return { ...about, host: null, state: 'standby' }
}

function promisesOf(state: State, { now_ms }: Moments): StatusDocument['promises'] {
  const given = [...state.hosts.values()].filter(host => host.promised_until_ms > now_ms).map(host => ({ from: state.self, to: host.name, left_ms: Math.round(host.promised_until_ms - now_ms) }))
  const received = [...state.promise.answered_ms].map(([from, sent_ms]) => ({ from, to: state.self, left_ms: Math.round(sent_ms + state.profile.promise_ms - now_ms) }))
  return [...given, ...received.filter(promise => promise.left_ms > 0)]
}

/** What nobody could give if its giver failed now. */
function unprotectedFunctions(state: State): { function: string; reason: string }[] {
  if (loadsOf(state).length === 0) return []
  return state.order.flatMap(name => {
    const holder = functionOf(state, name).claim?.holder ?? name
    const candidates = candidatesFor({ state }, name, new Map([[holder, 'it gives the function']]))
    if (candidates.some(candidate => candidate.value !== null)) return []
    return [{ function: name, reason: candidates.map(({ host, reason }) => `${host}: ${reason}`).join('; ') || 'there is no other host' }]
  })
}

function warningsOf(state: State, moments: Moments): string[] {
  const warnings: string[] = []
  if (!ownLeaseGood(state, moments.now_ms)) warnings.push('the lease of this host is not good: it may not take over anything')
  if (!state.share.good) warnings.push('the shared area does not answer: nothing can be taken over until it does')
  for (const name of state.order) {
    if (!isMember(state, name)) warnings.push(hostOf(state, name).lease?.standing === 'unmanaged' ? `${name} is unmanaged: its flag is off and nobody protects it` : `${name} has not joined: set its flag with "ringward flag on"`)
    else if (name !== state.self && isPresent(state, name) && !hostOf(state, name).reachable) warnings.push(`${name} renews its lease but is not reachable from here`)
    const version = hostOf(state, name).condition?.version
    if (version !== undefined && isPresent(state, name) && version !== state.inventory.version) warnings.push(`${name} runs version ${version}, this host ${state.inventory.version}: a publication is taken up within seconds; where that needs a restart, by flag off and on`)
  }
  return warnings
}

function verdictOf(state: State, moments: Moments, functions: readonly FunctionStatus[], hosts: readonly HostStatus[], unprotected: number): Pick<StatusDocument, 'verdict' | 'reason'> {
  const away = functions.filter(({ kind, epoch, name }) => kind === 'none' && epoch > 0 && hostOf(state, name).lease?.standing !== 'unmanaged').map(({ name }) => name)
  if (away.length > 0) return { verdict: 'critical', reason: `nobody gives ${away.join(', ')}` }
  if (!state.share.good) return { verdict: 'degraded', reason: 'the shared area does not answer: nothing can be taken over until it does' }
  if (!ownLeaseGood(state, moments.now_ms)) return { verdict: 'degraded', reason: 'the lease of this host is not good' }
  const out = hosts.filter(host => host.state !== 'in ring').map(host => `${host.name} is ${host.state}`)
  if (out.length > 0) return { verdict: 'degraded', reason: out.join(', ') }
  const virtual = functions.filter(({ kind }) => kind === 'virtual').map(({ name, giver }) => `${name} is given by a virtual server on ${giver}`)
  if (virtual.length > 0) return { verdict: 'degraded', reason: virtual.join(', ') }
  if (unprotected > 0) return { verdict: 'degraded', reason: `${unprotected} function(s) could not be given by another host` }
  return { verdict: 'ok', reason: `${hosts.length} hosts in the ring, every function given by its own server` }
}
