/** Makes a failing swarm plan small: as few faults as still break the same rule, then as short ones, then as few hosts. */
import { runSwarm, type ScheduleResult, type SwarmOptions } from './schedule.ts'
import { serverNames } from './sample-inventory.ts'
import type { SwarmPlan } from './swarm.ts'

/** Each run takes about a second; most plans need a tenth of that many. */
const RUNS_LIMIT = 400
/** A fault is not made shorter than that. */
const SHORTEST_MS = 500

export interface Shrunk {
  readonly plan: SwarmPlan
  readonly rule: string
  readonly runs: number
}

/** The first rule that was broken; L3 when only the layout is wrong; undefined when nothing is. */
export function brokenRule({ violations, deviations }: Pick<ScheduleResult, 'violations' | 'deviations'>): string | undefined {
  return violations[0]?.rule ?? (deviations.length > 0 ? 'L3' : undefined)
}

/** Undefined when the plan breaks nothing. `rule_of` is told in tests. */
export function shrink(plan: SwarmPlan, options: SwarmOptions = {}, rule_of: (plan: SwarmPlan) => string | undefined = candidate => brokenRule(runSwarm(candidate, options))): Shrunk | undefined {
  const rule = rule_of(plan)
  if (rule === undefined) return undefined
  let runs = 1
  const breaks = (candidate: SwarmPlan): boolean => runs < RUNS_LIMIT && (runs += 1) > 0 && rule_of(candidate) === rule
  // Of faults that have become short some are not needed any more.
  const small = withFewerHosts(withFewerFaults(withShorterFaults(withFewerFaults(plan, breaks), breaks), breaks), breaks)
  return { plan: small, rule, runs }
}

type Breaks = (candidate: SwarmPlan) => boolean

/** Delta debugging (Zeller, Hildebrandt 2002), by complements: halves, quarters, … single faults are left out. */
function withFewerFaults(plan: SwarmPlan, breaks: Breaks): SwarmPlan {
  let best = plan
  for (let parts = 2; best.faults.length > 1;) {
    const size = Math.ceil(best.faults.length / parts)
    const smaller = Array.from({ length: parts }, (_, part) => best.faults.filter((_fault, index) => Math.floor(index / size) !== part))
      .filter(faults => faults.length > 0 && faults.length < best.faults.length).map(faults => ({ ...best, faults })).find(breaks)
    if (smaller) {
      best = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) break
    else parts = Math.min(best.faults.length, parts * 2)
  }
  return best
}

function withShorterFaults(plan: SwarmPlan, breaks: Breaks): SwarmPlan {
  let best = plan
  for (const { number } of plan.faults) {
    for (;;) {
      const faults = best.faults.map(fault => fault.number === number ? { ...fault, duration_ms: Math.max(SHORTEST_MS, fault.duration_ms / 2) } : fault)
      if (faults.every((fault, index) => fault.duration_ms === best.faults[index]!.duration_ms) || !breaks({ ...best, faults })) break
      best = { ...best, faults }
    }
  }
  return best
}

/** The last ones of the ring, as long as no fault strikes them. */
function withFewerHosts(plan: SwarmPlan, breaks: Breaks): SwarmPlan {
  let best = plan
  while (best.hosts > 2) {
    const names = serverNames(best.hosts - 1)
    const smaller = { ...best, hosts: best.hosts - 1 }
    if (!best.faults.every(({ target }) => names.includes(target)) || !breaks(smaller)) return best
    best = smaller
  }
  return best
}
