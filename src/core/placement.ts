/** Choosing the host for a virtual server (thesis 5.2.5): the lowest non-select value among those with room (S4). */
import type { Candidate } from './trouble.ts'
import type { Context } from './context.ts'
import { functionOf, hostOf, serverOf } from './context.ts'
import { isAsked, notAsked } from './electorate.ts'
import { nonSelectValue, normaliseLoads, type HostCapacity, type LoadAverage, type NormalisedLoad } from './non-select.ts'
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

/** Virtual servers a host runs or has just been chosen for, so that choices made in a burst see one another. */
export function virtualServersOn(state: State, host: string): number {
  const running = [...state.functions.values()].filter(({ name, claim, release }) =>
    claim?.kind === 'virtual' && claim.holder === host && !release && state.rehoming.get(name)?.nominee !== host).length
  const chosen = [...state.rehoming.values()].filter(({ nominee, function: name }) => nominee === host && name !== host).length
  return running + chosen
}

/** All present hosts whose load is known, normalised against one another (formulas 5.4–5.9). */
export function loadsOf(state: State): HostLoad[] {
  const known = state.order.filter(name => isPresent(state, name)).flatMap(host => {
    const load = host === state.self ? ownLoad(state) : hostOf(state, host).condition?.load
    return load ? [{ host, ...load }] : []
  })
  const normalised = normaliseLoads(known)
  return known.map((load, index) => ({ ...load, normalised: normalised[index]!, virtual_servers: virtualServersOn(state, load.host) }))
}

function ownLoad(state: State): { average: LoadAverage; forecast: LoadAverage; capacity: HostCapacity } | undefined {
  return state.load && { average: state.load.average, forecast: state.load.forecast, capacity: state.load.capacity }
}

/** Every host with its value or the reason against it, best first. */
export function candidatesFor(context: Pick<Context, 'state'>, name: string, excluded: ReadonlyMap<string, string>): Candidate[] {
  const { state } = context
  const server = serverOf(state, name)
  const { claim, release } = functionOf(state, name)
  const loads = new Map(loadsOf(state).map(load => [load.host, load]))
  const needed_kb = server.virtual_server.memory_mb * 1024 + MEMORY_RESERVE_KB
  const judged = state.order.map((host): Candidate => {
    const against = excluded.get(host)
    if (against !== undefined) return { host, value: null, reason: against }
    if (!isPresent(state, host)) return { host, value: null, reason: 'not in the ring' }
    if (host !== state.self && !hostOf(state, host).reachable) return { host, value: null, reason: 'not reachable from this manager' }
    if (claim && !release && claim.holder !== host && !isAsked(state, claim.holder, host)) return { host, value: null, reason: notAsked(claim.holder, host) }
    const load = loads.get(host)
    if (!load) return { host, value: null, reason: 'its load is not known yet' }
    if (load.forecast.memory_kb < needed_kb) return { host, value: null, reason: `no room: ${Math.round(load.forecast.memory_kb / 1024)} MB forecast free of ${Math.round(needed_kb / 1024)} MB needed` }
    const value = nonSelectValue(server.type, load.virtual_servers, load.normalised)
    const { memory, cpu, network } = load.normalised
    return { host, value: round(value), reason: `VM ${load.virtual_servers}, memory ${round(memory)}, cpu ${round(cpu)}, network ${round(network)} (${server.type})` }
  })
  return judged.sort((a, b) => (a.value ?? Infinity) - (b.value ?? Infinity))
}

const round = (value: number): number => Math.round(value * 10) / 10
