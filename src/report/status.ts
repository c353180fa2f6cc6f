/** `ringward.status/1`: everything as this host sees it, from its core's state alone. It never waits for anybody. */
import type { AlertStatus, FunctionStatus, HostStatus, OpenIncident, StatusDocument, VirtualServerStatus, WatchMode, WatchStatus } from '../control/documents.ts'
import { raisedAlerts } from '../core/alerts.ts'
import { isAgentless } from '../core/appliance.ts'
import { lacksVoters, nextStep, whyItWaits } from '../core/consent.ts'
import { functionOf, hostOf, serverOf } from '../core/context.ts'
import { isHeld } from '../core/orders.ts'
import { couldGive, loadsOf } from '../core/placement.ts'
import { isMember, isPresent, ownLeaseGood } from '../core/presence.ts'
import type { State } from '../core/state.ts'
import { hostStateOf } from './host-state.ts'
import { stamp, type Moments } from './moments.ts'
import { servingOf } from './serving.ts'

export interface ShareReport {
  readonly state: 'ok' | 'slow' | 'silent' | 'error' | 'unknown'
  readonly latency_ms: number | null
}

export function statusDocument(state: State, moments: Moments, share: ShareReport): StatusDocument {
  const functions = state.order.map(name => functionStatus(state, moments, name))
  const hosts = state.order.map(name => hostStatus(state, moments, name))
  const unprotected = unprotectedFunctions(state, moments)
  const incidents_open = [...state.incidents.values()].map((incident): OpenIncident => ({
    id: incident.id, target: incident.target, trouble: incident.trouble, manager: state.self, detected: stamp(moments, incident.detected_ms) ?? '', stage: incident.healing.step,
  }))
  return {
    schema: 'ringward.status/1', at: moments.wall.toISOString(), host: state.self, version: state.inventory.version, profile: state.profile.name, interval_ms: state.inventory.interval_ms,
    ...verdictOf(state, moments, functions, hosts, unprotected.length), hosts, functions,
    virtual_servers: state.order.map(name => virtualServerStatus(state, name)),
    share: { ...share, age_ms: Number.isFinite(state.share.last_returned_ms) ? Math.round(moments.now_ms - state.share.last_returned_ms) : null, ...state.share.free_kb === undefined ? {} : { free_kb: state.share.free_kb } },
    promises: promisesOf(state, moments), ...rideOf(state), unprotected, alerts: raisedAlerts(state).map((standing): AlertStatus => ({ ...standing.alert, since: stamp(moments, standing.since_ms) ?? '' })), incidents_open, ...(state.orders.hold_until_ms === undefined ? {} : { hold_until: endStamp(moments, state.orders.hold_until_ms) }), warnings: warningsOf(state, moments),
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
    ...(state.orders.maintenance_until_ms.has(name) ? { maintenance_until: endStamp(moments, state.orders.maintenance_until_ms.get(name)!) } : {}),
    targets: isPresent(state, name) ? watches.map(watch => watchStatus(watch, moments)).sort((a, b) => a.priority - b.priority) : [],
  }
}

/** An order without an end stands for years. */
const NO_END_MS = 5 * 365 * 86_400_000

function endStamp(moments: Moments, until_ms: number): string | null {
  return until_ms - moments.now_ms > NO_END_MS ? null : stamp(moments, until_ms)
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
  const serving = servingOf(state, name)
  return {
    name, vip: serverOf(state, name).vip, giver: serving?.giver ?? null, kind: serving?.kind ?? 'none', epoch: serving?.epoch ?? functionOf(state, name).claim?.epoch ?? 0,
    since: serving?.since_ms === undefined ? null : stamp(moments, serving.since_ms),
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

function rideOf({ inventory, own }: State): Pick<StatusDocument, 'ride'> {
  return inventory.ride === 'majority' ? { ride: { policy: 'majority', asked: own.electorate?.length ?? 0, may_miss: own.may_miss ?? 0 } } : {}
}

/** Functions of silent hosts that too few hosts could agree to take over. */
function waitingWarnings(state: State): string[] {
  return state.order.flatMap(name => {
    const { claim, release } = functionOf(state, name)
    if (!claim || release || claim.holder === state.self || hostOf(state, claim.holder).lease_silent_ms < state.profile.expire_ms || !lacksVoters(state, claim)) return []
    return [`${name} waits for consents: ${whyItWaits(state, claim)}; ${nextStep(claim)}`]
  })
}

/** What nobody could give if its giver failed now. */
function unprotectedFunctions(state: State, { now_ms }: Moments): { function: string; reason: string }[] {
  if (loadsOf(state).length === 0) return []
  return state.order.flatMap(name => {
    const candidates = couldGive(state, name, now_ms)
    const { claim, release } = functionOf(state, name)
    if (claim && !release && lacksVoters(state, claim)) return [{ function: name, reason: whyItWaits(state, claim) }]
    if (candidates.some(candidate => candidate.value !== null)) return []
    return [{ function: name, reason: state.order.length === 1 ? 'there is no other host' : candidates.map(({ host, reason }) => `${host}: ${reason}`).join('; ') }]
  })
}

function warningsOf(state: State, moments: Moments): string[] {
  const warnings: string[] = []
  if (isHeld(state)) warnings.push('the ring is on hold: nothing is taken over, moved or healed; "ringward hold off" ends it')
  if (!ownLeaseGood(state, moments.now_ms)) warnings.push('the lease of this host is not good: it may not take over anything')
  if (!state.share.good) warnings.push('the shared area does not answer: nothing can be taken over until it does')
  warnings.push(...waitingWarnings(state))
  for (const name of state.order) {
    if (state.orders.maintenance_until_ms.has(name)) {
      warnings.push(`${name} is in maintenance ${untilText(moments, state.orders.maintenance_until_ms.get(name)!)}: it gives nothing, and nobody calls it back`)
      continue
    }
    const standing = hostOf(state, name).lease?.standing
    if (standing === 'goodbye' && !isPresent(state, name)) warnings.push(`${name} has left by a shutdown or reboot of its own: it is not accused, its function is given elsewhere`)
    else if (isAgentless(state, name)) {
      if (state.appliances.get(name)?.hand_good === false) warnings.push(`the remote hand does not reach ${name}, which has no agent: if it fails now, only its power or you can prove that it stopped`)
    } else if (!isMember(state, name)) warnings.push(hostOf(state, name).lease?.standing === 'unmanaged' ? `${name} is unmanaged: its flag is off and nobody protects it` : `${name} has not joined: set its flag with "ringward flag on"`)
    else if (name !== state.self && isPresent(state, name) && !hostOf(state, name).reachable) warnings.push(`${name} renews its lease but is not reachable from here`)
    const version = hostOf(state, name).condition?.version
    if (version !== undefined && isPresent(state, name) && version !== state.inventory.version) warnings.push(`${name} runs version ${version}, this host ${state.inventory.version}: a publication is taken up within seconds; where that needs a restart, by flag off and on`)
  }
  return warnings
}

function untilText(moments: Moments, until_ms: number): string {
  const end = endStamp(moments, until_ms)
  return end === null ? 'until "ringward maintenance off"' : `until ${end}`
}

function verdictOf(state: State, moments: Moments, functions: readonly FunctionStatus[], hosts: readonly HostStatus[], unprotected: number): Pick<StatusDocument, 'verdict' | 'reason'> {
  const away = functions.filter(({ kind, epoch, name }) => kind === 'none' && (epoch > 0 || isAgentless(state, name)) && hostOf(state, name).lease?.standing !== 'unmanaged').map(({ name }) => name)
  if (away.length > 0) return { verdict: 'critical', reason: `nobody gives ${away.join(', ')}` }
  if (!state.share.good) return { verdict: 'degraded', reason: 'the shared area does not answer: nothing can be taken over until it does' }
  if (!ownLeaseGood(state, moments.now_ms)) return { verdict: 'degraded', reason: 'the lease of this host is not good' }
  if (hosts.length === 1) return { verdict: 'degraded', reason: `nobody watches ${state.self}: the ring has no other host` }
  const out = hosts.filter(host => host.state !== 'in ring' && host.state !== 'watched').map(host => `${host.name} is ${host.state === 'maintenance' ? 'in maintenance' : host.state}`)
  if (isHeld(state)) return { verdict: 'degraded', reason: 'the ring is on hold: nothing is taken over' }
  if (out.length > 0) return { verdict: 'degraded', reason: out.join(', ') }
  const virtual = functions.filter(({ kind }) => kind === 'virtual').map(({ name, giver }) => `${name} is given by a virtual server on ${giver}`)
  if (virtual.length > 0) return { verdict: 'degraded', reason: virtual.join(', ') }
  const full = raisedAlerts(state).find(({ alert }) => alert.code === 'SHARE_FULL')
  if (full) return { verdict: 'degraded', reason: full.alert.reason }
  if (unprotected > 0) return { verdict: 'degraded', reason: `${unprotected} function(s) could not be given by another host` }
  return { verdict: 'ok', reason: `${hosts.length} hosts in the ring, every function given by its own server` }
}
