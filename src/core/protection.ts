/**
 * What no longer protects, although nothing has failed yet: the next failure would find nobody who watches, decides or has room. A function of the
 * state alone; when it is said, and when it is over, is alerts.ts.
 */
import { isAgentless, isThere } from './appliance.ts'
import { functionOf, hostOf } from './context.ts'
import type { Server } from './inventory.ts'
import { isSlow } from './local-health.ts'
import { FLAPPING_WINDOW_MS } from './observation.ts'
import { couldGive, hasPlace } from './placement.ts'
import { isMember, isPresent } from './presence.ts'
import type { State } from './state.ts'

/** Each stands in the error catalogue as well. */
export type AlertCode = 'TOO_FEW_WATCHERS' | 'LEASE_LATE' | 'SHARE_UNREACHABLE' | 'SHARE_SLOW' | 'SHARE_FULL' | 'NO_ROOM' | 'STANDBY_MISSING' | 'STANDBY_STALE' | 'VERSION_SKEW' | 'CLOCK_OFF' | 'FLAPPING' | 'HOST_SLOW' | 'LOG_UNWRITTEN'

export interface Alert {
  readonly code: AlertCode
  /** A host, a function, or the shared area (`share`). */
  readonly subject: string
  readonly reason: string
  readonly next_step: string
}

/** What happened once is worth a look for so long. */
const RECENT_MS = 60_000
/** One slow write is a hiccup; so many of them within a minute are how the share is. */
const SLOW_RENEWALS = 3
/** Far beyond what a time server leaves; from there on logs of several hosts are merged in a wrong order. */
const CLOCK_LIMIT_MS = 2_000
/** The first return is a recovery. */
const FLAPPING_HOMECOMINGS = 2
/** Months of records and logs of a small ring: time enough to read an alert and make room. */
const FREE_LEAST_KB = 64 * 1_024

export function alertsOf(state: State, now_ms: number): Alert[] {
  return [...watcherAlerts(state), ...shareAlerts(state, now_ms), ...spaceAlerts(state), ...leaseAlerts(state, now_ms), ...roomAlerts(state, now_ms), ...standbyAlerts(state), ...versionAlerts(state), ...clockAlerts(state), ...flappingAlerts(state, now_ms), ...healthAlerts(state), ...logAlerts(state)]
}

/** Two for each (thesis 5.3), where there are two others. */
function watcherAlerts(state: State): Alert[] {
  const managers = state.order.filter(name => !isAgentless(state, name))
  const alerts: Alert[] = []
  for (const name of state.order) {
    if (!isThere(state, name) || !(isMember(state, name) || isAgentless(state, name))) continue
    const wanted = Math.min(2, Math.max(1, managers.length - (isAgentless(state, name) ? 0 : 1)))
    const watchers = managers.filter(manager => manager !== name && isPresent(state, manager) && watches(state, manager, name))
    if (watchers.length >= wanted) continue
    alerts.push({
      code: 'TOO_FEW_WATCHERS', subject: name, reason: watchers.length === 0 ? 'nobody watches it' : `only ${watchers.join(', ')} watches it, and ${wanted} hosts should`,
      next_step: 'bring the missing hosts back into the ring ("ringward ring" shows which), or add one',
    })
  }
  return alerts
}

function watches(state: State, manager: string, name: string): boolean {
  return manager === state.self ? state.watches.has(name) : hostOf(state, manager).condition?.watches.some(({ target }) => target === name) ?? false
}

function shareAlerts(state: State, now_ms: number): Alert[] {
  if (!state.share.good) return [{ code: 'SHARE_UNREACHABLE', subject: state.self, reason: 'the shared area does not answer: nothing can be taken over', next_step: 'look at the file server, the network to it and the mount' }]
  const { allowed_ms, slow } = slowRenewals(state, now_ms)
  if (slow.length < SLOW_RENEWALS) return []
  return [{
    code: 'SHARE_SLOW', subject: state.self, reason: `${slow.length} writes of the lease took up to ${Math.round(Math.max(...slow.map(({ took_ms }) => took_ms)))} ms within a minute, and profile "${state.profile.name}" allows ${Math.floor(allowed_ms)} ms`,
    next_step: 'find what slows the file server down, or choose a slower profile in group.toml',
  }]
}

/** A full one still keeps leases, so nothing fails until a claim is to be written. */
function spaceAlerts({ share: { good, free_kb } }: State): Alert[] {
  if (!good || free_kb === undefined || free_kb >= FREE_LEAST_KB) return []
  const reason = free_kb < 1 ? 'the shared area is full: a few takeovers are possible on what each host has set aside there, and then none; logs and incidents wait on the hosts'
    : `only ${(free_kb / 1_024).toFixed(1)} MB are free on the shared area; when it is full, a few takeovers are possible and then none`
  return [{ code: 'SHARE_FULL', subject: 'share', reason, next_step: 'make room on the file server: old files in log/ and program/ first, never leases/, claims/, releases/ or reserve/' }]
}

export function noteFreeSpace(state: State, free_kb: number | undefined): void {
  if (free_kb !== undefined) state.share.free_kb = free_kb
}

/** By the constraint of the profiles: 3·(r + write) ≤ D_stop (protocol 3). */
function slowRenewals(state: State, now_ms: number): { readonly allowed_ms: number; readonly slow: State['renewals']['slow'] } {
  const allowed_ms = allowedWrite_ms(state)
  return { allowed_ms, slow: state.renewals.slow.filter(({ at_ms }) => now_ms - at_ms < RECENT_MS) }
}

function allowedWrite_ms({ profile }: State): number {
  return profile.stop_ms / 3 - profile.renew_ms
}

/** Called with each renewal, before the new deadline is taken over. */
export function noteRenewalTimes(state: State, deadline_ms: number, took_ms: number | undefined, now_ms: number): void {
  const { renewals, own, profile } = state
  const pause_ms = deadline_ms - own.deadline_ms
  if (own.deadline_ms > 0 && pause_ms > 2 * profile.renew_ms) renewals.late = { at_ms: now_ms, pause_ms }
  if (took_ms !== undefined && took_ms > allowedWrite_ms(state)) renewals.slow = [...renewals.slow, { at_ms: now_ms, took_ms }].slice(-SLOW_RENEWALS)
}

/** Without the shared area no lease can be renewed: that is said once. */
function leaseAlerts({ self, own, share, renewals, profile }: State, now_ms: number): Alert[] {
  if (own.generation === 0 || !share.good) return []
  const next_step = 'look at the load of this host and at the shared area: past D_stop everything is stopped here'
  if (own.deadline_ms <= now_ms) return [{ code: 'LEASE_LATE', subject: self, reason: 'its lease has run out', next_step }]
  if (!renewals.late || now_ms - renewals.late.at_ms >= RECENT_MS) return []
  return [{ code: 'LEASE_LATE', subject: self, reason: `${Math.round(renewals.late.pause_ms)} ms lay between two renewals of its lease, which lives ${profile.stop_ms} ms`, next_step }]
}

/** Where the largest virtual server has no place, the others may still have one; `status` lists each. */
function roomAlerts(state: State, now_ms: number): Alert[] {
  const largest = state.inventory.servers.reduce<Server | undefined>((most, server) => (most && most.virtual_server.memory_mb >= server.virtual_server.memory_mb ? most : server), undefined)
  if (!largest) return []
  if (hasPlace(state, largest.name, now_ms)) return []
  const candidates = couldGive(state, largest.name, now_ms)
  return [{
    code: 'NO_ROOM', subject: largest.name, reason: `no host could take over the largest virtual server (${largest.virtual_server.memory_mb} MB): ${candidates.map(({ host, reason }) => `${host}: ${reason}`).join('; ')}`,
    next_step: 'free memory on a host, lower memory_mb in its servers/ file, or add a host',
  }]
}

function standbyAlerts(state: State): Alert[] {
  if (state.standby.size === 0) return []
  return state.order.flatMap((name): Alert[] => {
    const standby = state.standby.get(name)
    if (standby === undefined || standby.state === 'good') return []
    const next_step = 'put it in place again ("scripts/save-states")'
    if (standby.state === 'missing') return [{ code: 'STANDBY_MISSING', subject: name, reason: `its virtual server cannot be started: ${standby.detail}`, next_step }]
    return [{ code: 'STANDBY_STALE', subject: name, reason: `its virtual server would start cold, in seconds instead of tenths: ${standby.detail}`, next_step }]
  })
}

function versionAlerts(state: State): Alert[] {
  const alerts: Alert[] = []
  for (const name of state.order) {
    const condition = name === state.self || !isPresent(state, name) ? undefined : hostOf(state, name).condition
    if (!condition) continue
    const { version, program } = condition
    if (version !== state.inventory.version) {
      alerts.push({ code: 'VERSION_SKEW', subject: name, reason: `it runs version ${version}, and ${state.self} runs ${state.inventory.version}`, next_step: 'see "journalctl -t ringward" on the older one; a publication that needs a restart is taken up by flag off and on' })
    } else if (program && state.program && program.digest !== state.program.digest) {
      alerts.push({ code: 'VERSION_SKEW', subject: name, reason: `it runs the program of version ${program.version}, and ${state.self} runs that of ${state.program.version}`, next_step: 'a running agent takes up a newer configuration, and a newer program when its flag is set anew: "ringward flag off --wait && ringward flag on --wait" on the older one' })
    }
  }
  return alerts
}

/** Whose clock differs from the middle of all that are known; a host of an older version does not tell its own. */
function clockAlerts(state: State): Alert[] {
  const offsets = state.order.flatMap(host => {
    const { condition, condition_ms } = hostOf(state, host)
    if (host === state.self) return state.clock_offset_ms === undefined ? [] : [{ host, offset_ms: state.clock_offset_ms }]
    return isPresent(state, host) && condition?.wall_ms !== undefined ? [{ host, offset_ms: condition.wall_ms - condition_ms }] : []
  })
  // Of two clocks nobody knows which is right: the own one is the measure.
  const middle_ms = offsets.length < 3 ? state.clock_offset_ms : offsets.map(({ offset_ms }) => offset_ms).sort((a, b) => a - b)[Math.floor(offsets.length / 2)]
  if (middle_ms === undefined) return []
  return offsets.filter(({ offset_ms }) => Math.abs(offset_ms - middle_ms) > CLOCK_LIMIT_MS).map(({ host, offset_ms }) => ({
    code: 'CLOCK_OFF', subject: host, reason: `its clock is ${Math.abs((offset_ms - middle_ms) / 1_000).toFixed(1)} s ${offset_ms > middle_ms ? 'ahead of' : 'behind'} the others'; nothing is decided by it, but the times in its logs are wrong`,
    next_step: 'let it follow a time server ("timedatectl")',
  }))
}

function flappingAlerts(state: State, now_ms: number): Alert[] {
  const alerts: Alert[] = []
  for (const name of state.order) {
    const { came_home_ms } = functionOf(state, name)
    const homecomings = came_home_ms.length < FLAPPING_HOMECOMINGS ? 0 : came_home_ms.filter(at_ms => now_ms - at_ms < FLAPPING_WINDOW_MS).length
    if (homecomings < FLAPPING_HOMECOMINGS) continue
    alerts.push({ code: 'FLAPPING', subject: name, reason: `it came home ${homecomings} times within the hour, and each time its clients are cut`, next_step: 'find out why it fails ("ringward incidents"); "ringward maintenance on" keeps it empty meanwhile' })
  }
  return alerts
}

function healthAlerts(state: State): Alert[] {
  if (!isSlow(state)) return []
  return [{ code: 'HOST_SLOW', subject: state.self, reason: `it is too slow to judge others (${state.health.reason}): services that keep silent are not restarted from here`, next_step: 'find what takes its processors ("top"), or the disk of the file server' }]
}

function logAlerts({ self, unwritten }: State): Alert[] {
  if (unwritten === 0) return []
  return [{ code: 'LOG_UNWRITTEN', subject: self, reason: `its disk does not take its log: ${unwritten} lines wait in memory, and are lost if the agent ends`, next_step: 'make room on that host for /var/log/ringward and /var/lib/ringward ("df -h"), or look at its disk' }]
}
