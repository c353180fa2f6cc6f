/** Choosing the host for a virtual server (thesis 5.2.5): the lowest non-select value among those with room (S4). */
import type { Candidate } from './trouble.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { isAsked, notAsked } from './electorate.ts'
import type { GivenFunction } from './message.ts'
import { nonSelectValue, normaliseLoads, type HostCapacity, type LoadAverage, type NormalisedLoad } from './non-select.ts'
import { leavingReason } from './orders.ts'
import { leavesToOthersUntil_ms } from './alone.ts'
import { isPresent } from './presence.ts'
import type { State } from './state.ts'

/** Kept free on the chosen host beside the virtual server's own memory. */
const MEMORY_RESERVE_KB = 128 * 1024

export interface HostLoad {
  readonly host: string
  readonly average: LoadAverage
  readonly forecast: LoadAverage
  readonly capacity: HostCapacity
  readonly normalised: NormalisedLoad
  readonly virtual_servers: number
}

/** Virtual servers a host runs, prepares, or has just been chosen for, so that choices made in a burst see one another, those of other managers too. */
export function virtualServersOn(state: State, host: string): number {
  const running = [...state.functions.values()].filter(({ claim, release }) => claim?.kind === 'virtual' && claim.holder === host && !release).map(({ name }) => name)
  const chosen = [...state.rehoming.values()].filter(({ nominee, function: name }) => nominee === host && name !== host).map(({ function: name }) => name)
  const told = givenBy(state, host).filter(({ kind, stage }) => kind === 'virtual' && stage !== 'stopping').map(({ function: name }) => name)
  return new Set([...running, ...chosen, ...told]).size
}

/** What a host gives or prepares, by its own last word. */
function givenBy(state: State, host: string): readonly GivenFunction[] {
  return host === state.self ? [...state.giving.values()] : (hostOf(state, host).condition?.giving ?? [])
}

/** More starts at a time on one host make each other slower than one after the other (S4). */
export const STARTS_LIMIT = 2

/** The functions whose virtual servers a host is starting, by its own word or because this manager has just asked it. */
export function startsOn(state: State, host: string): ReadonlySet<string> {
  const asked = [...state.rehoming.values()].filter(({ nominee, as, stage }) => nominee === host && as === 'virtual' && (stage === '' || stage === 'preparing'))
  return new Set([...givenBy(state, host).filter(({ kind, stage }) => kind === 'virtual' && (stage === 'preparing' || stage === 'starting')), ...asked].map(({ function: name }) => name))
}

/** S4, at the host itself. */
export function hasRoomHere(state: State, name: string): boolean {
  return room_kb(state) >= serverOf(state, name).virtual_server.memory_mb * 1024
}

/**
 * Room has to be there now and by the forecast, which rises above what there is when memory has just become free. What was accepted
 * since the survey window before the last is not, or not wholly, in its averages.
 */
function room_kb({ load, round, inventory, servers, giving }: State): number {
  if (!load) return Infinity
  const since_ms = round.survey_ms - inventory.interval_ms
  const accepted = [...giving.values()].filter(({ kind, begun_ms }) => kind === 'virtual' && begun_ms >= since_ms)
  // What still runs for a server that was taken out of the ring was accepted before any of this.
  const accepted_mb = accepted.reduce((sum, { function: name }) => sum + (servers.get(name)?.virtual_server.memory_mb ?? 0), 0)
  return Math.min(load.average.memory_kb, load.forecast.memory_kb) - accepted_mb * 1024
}

/** All present hosts whose load is known, normalised against one another (formulas 5.4–5.9). */
export function loadsOf(state: State): HostLoad[] {
  const known = state.order.filter(name => isPresent(state, name)).flatMap(host => {
    const load = loadOf(state, host)
    return load ? [{ host, ...load }] : []
  })
  const normalised = normaliseLoads(known)
  return known.map((load, index) => ({ ...load, normalised: normalised[index]!, virtual_servers: virtualServersOn(state, load.host) }))
}

function loadOf(state: State, host: string): State['load'] {
  return host === state.self ? state.load : hostOf(state, host).condition?.load
}

/** Why a host that hears nobody, and that somebody asks whether it is alone, gives nobody's function. */
export const CUT_OFF = 'it hears none of the hosts that renew, and is asked whether it is alone: it is cut off itself'

const LOAD_UNKNOWN = 'its load is not known yet'

/** Who could give the function if its giver failed now: nobody when no value is told. */
export function couldGive(state: State, name: string, now_ms: number): Candidate[] {
  return candidatesFor({ state, now_ms }, name, withoutGiver(state, name))
}

/** Whether anybody could, or might, for all that is known of the loads. */
export function hasPlace(state: State, name: string, now_ms: number): boolean {
  const excluded = withoutGiver(state, name)
  return state.order.some(host => {
    const against = reasonAgainst({ state, now_ms }, name, host, excluded)
    return against === undefined || against === LOAD_UNKNOWN
  })
}

function withoutGiver(state: State, name: string): ReadonlyMap<string, string> {
  return new Map([[functionOf(state, name).claim?.holder ?? name, 'it gives the function']])
}

/** Every host with its value or the reason against it, best first. */
export function candidatesFor(context: Pick<Context, 'state' | 'now_ms'>, name: string, excluded: ReadonlyMap<string, string>): Candidate[] {
  const { state } = context
  const { type } = serverOf(state, name)
  const loads = new Map(loadsOf(state).map(load => [load.host, load]))
  const judged = state.order.map((host): Candidate => {
    const against = reasonAgainst(context, name, host, excluded)
    if (against !== undefined) return { host, value: null, reason: against }
    const { virtual_servers, normalised } = loads.get(host)!
    const { memory, cpu, network } = normalised
    return { host, value: round(nonSelectValue(type, virtual_servers, normalised)), reason: `VM ${virtual_servers}, memory ${round(memory)}, cpu ${round(cpu)}, network ${round(network)} (${type})` }
  })
  return judged.sort((a, b) => (a.value ?? Infinity) - (b.value ?? Infinity))
}

/** Why the host is out of the question; undefined for one that can be chosen, whose load is known. */
function reasonAgainst({ state, now_ms }: Pick<Context, 'state' | 'now_ms'>, name: string, host: string, excluded: ReadonlyMap<string, string>): string | undefined {
  const against = excluded.get(host)
  if (against !== undefined) return against
  if (!isPresent(state, host)) return 'not in the ring'
  const leaving = leavingReason(state, host)
  if (leaving !== undefined) return `it leaves (${leaving})`
  if (host === state.self && leavesToOthersUntil_ms(state, -Infinity, now_ms) === Infinity) return CUT_OFF
  if (host !== state.self && !hostOf(state, host).reachable) return 'not reachable from this manager'
  const { claim, release } = functionOf(state, name)
  if (claim && !release && claim.holder !== host && !isAsked(state, claim, host)) return notAsked(claim.holder, host)
  const load = loadOf(state, host)
  if (!load) return LOAD_UNKNOWN
  const needed_kb = serverOf(state, name).virtual_server.memory_mb * 1024 + MEMORY_RESERVE_KB
  if (load.forecast.memory_kb < needed_kb) return `no room: ${Math.round(load.forecast.memory_kb / 1024)} MB forecast free of ${Math.round(needed_kb / 1024)} MB needed`
  return undefined
}

const round = (value: number): number => Math.round(value * 10) / 10
