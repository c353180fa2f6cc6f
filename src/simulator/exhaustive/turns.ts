/**
 * What a host may meet in one tick: everything in order, or one of the faults. A fault begins in any tick, as long as there are faults left to begin, and ends in
 * any later one; what was not done meanwhile is done then, late.
 */
import type { Act } from './host-moves.ts'

/** Of a process of ours and its way to the share; `slow`: one thing gets one step further. */
type Way = 'frozen' | 'dead' | 'slow' | 'good'

export interface Mode {
  readonly name: string
  readonly guard: Way
  readonly agent: Way
  readonly network: boolean
}

/** The first is no fault. */
export const MODES: readonly Mode[] = [
  { name: 'good', guard: 'good', agent: 'good', network: true },
  { name: 'host frozen', guard: 'frozen', agent: 'frozen', network: true },
  { name: 'guard frozen', guard: 'frozen', agent: 'good', network: true },
  { name: 'agent frozen', guard: 'good', agent: 'frozen', network: true },
  { name: 'share dead', guard: 'dead', agent: 'dead', network: true },
  { name: 'share dead for its guard', guard: 'dead', agent: 'good', network: true },
  { name: 'share dead for its agent', guard: 'good', agent: 'dead', network: true },
  { name: 'share slow', guard: 'slow', agent: 'slow', network: true },
  { name: 'network dead', guard: 'good', agent: 'good', network: false },
  { name: 'cable pulled', guard: 'dead', agent: 'dead', network: false },
]

/** A fault of all hosts at once. */
export const OUTAGE = 'share dead for all'

/** While it lasts. */
export const duringOutage = (mode: Mode): Mode => ({ ...mode, guard: mode.guard === 'frozen' ? 'frozen' : 'dead', agent: mode.agent === 'frozen' ? 'frozen' : 'dead' })

/** Faults of a moment. */
export const MISHAPS: readonly Act[] = ['agent dies', 'guard dies', 'power fails', 'order fails', 'claim unanswered', 'renewal fails']

/** Every fault by its name. */
export const FAULTS: readonly string[] = [...MODES.slice(1).map(mode => mode.name), OUTAGE, ...MISHAPS]

/** A fault of this host alone. */
export const faultOf = (host: string, fault: string): string => `${host}: ${fault}`

/** What a search may be restricted to: faults of any host, and of one; an outage is nobody's own. */
export function faultsOf(hosts: readonly string[]): readonly string[] {
  return [...FAULTS, ...hosts.flatMap(host => FAULTS.filter(fault => fault !== OUTAGE).map(fault => faultOf(host, fault)))]
}

/** All that are possible, one after the other, `once` or as long as one is; `extra` is where a manager's act or a mishap has its place. */
export interface Part {
  readonly acts: readonly Act[] | 'messages' | 'extra'
  readonly once: boolean
}

const all = (...acts: Act[]): Part => ({ acts, once: false })
const one = (...acts: Act[]): Part => ({ acts, once: true })

/** Looks first, then answers and messages, then what follows from them: a whole chain from a look to a new giver fits into one tick. */
export function partsOf({ guard, agent, network }: Mode): readonly Part[] {
  return [
    ...guard === 'frozen' ? [] : [one('guard looks')],
    ...agent === 'frozen' ? [] : [one('agent looks')],
    ...guard === 'slow' ? [one('acknowledged', 'renew')] : guard === 'good' ? [all('acknowledged', 'renew')] : [],
    ...agent === 'slow' ? [one('read claims', 'read arrives', 'read leases')] : agent === 'good' ? [all('read leases', 'read claims', 'read arrives')] : [],
    ...network && agent !== 'frozen' ? [{ acts: 'messages', once: false } as const] : [],
    { acts: 'extra', once: true },
    ...agent === 'good' ? [one('claiming over')] : [],
    ...agent === 'slow' ? [one('order answered', 'order'), one('release answered', 'claim answered', 'abandoned claim', 'release', 'claim')] : [],
    ...agent === 'good' ? [all('claim', 'abandoned claim', 'claim answered', 'release', 'release answered')] : [],
    // Only a start in the guard's charge, a stop: no share is needed.
    ...agent === 'good' || agent === 'dead' ? [all('order', 'order answered')] : [],
  ]
}
