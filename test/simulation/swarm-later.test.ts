import { describe, expect, it } from 'vitest'
import { runSwarm } from '../../src/simulator/schedule.ts'
import { drawSwarm, LATER_FROM_SEED, LATER_KINDS, SWARM_KINDS } from '../../src/simulator/swarm.ts'

const SCHEDULES = 24

/** Of the first thousand seeds with kinds that came later, the first with one of them. */
const PLANS = Array.from({ length: 1_000 }, (_, index) => drawSwarm(LATER_FROM_SEED + index)).filter(({ faults }) => faults.some(({ fault }) => LATER_KINDS.includes(fault))).slice(0, SCHEDULES)

describe(`${SCHEDULES} swarm schedules with kinds of faults that came later`, () => {
  it('break no rule and return to policy', () => {
    const results = PLANS.map(plan => runSwarm(plan))
    expect(results.filter(({ violations, deviations }) => violations.length + deviations.length > 0)).toEqual([])
  })

  it('leave none of these kinds out', () => {
    expect(LATER_KINDS.filter(kind => !PLANS.some(({ faults }) => faults.some(({ fault }) => fault === kind)))).toEqual([])
  })

  it('are drawn from that seed on and not before, and change nothing else of a plan', () => {
    const former = Array.from({ length: 200 }, (_, index) => drawSwarm(LATER_FROM_SEED - 1 - index))
    expect(former.flatMap(({ faults }) => faults).filter(({ fault }) => !SWARM_KINDS.includes(fault))).toEqual([])
    expect(PLANS.flatMap(({ faults }) => faults).every(({ fault, after_ms, duration_ms }) => (SWARM_KINDS.includes(fault) || LATER_KINDS.includes(fault)) && after_ms >= 0 && duration_ms > 0)).toBe(true)
  })
})
