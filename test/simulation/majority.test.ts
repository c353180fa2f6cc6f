/** Rides by majority in random schedules; `npm run simulate -- --ride majority` plays them by the thousand. */
import { describe, expect, it } from 'vitest'
import { runPlan, runSchedule, runSwarm } from '../../src/simulator/schedule.ts'
import { drawSwarm } from '../../src/simulator/swarm.ts'

const ride = 'majority'
const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index)
const wrong = (results: readonly { readonly violations: readonly unknown[]; readonly deviations: readonly unknown[] }[]): unknown => results.filter(({ violations, deviations }) => violations.length + deviations.length > 0)

describe('rides by majority', () => {
  it('break no rule with any two faults', () => {
    expect(wrong(seeds(510_000, 40).map(seed => runSchedule({ seed, count: 2, ride })))).toEqual([])
  })

  it('break no rule in schedules drawn whole, where too few live to consent as well', () => {
    expect(wrong(seeds(610_000, 40).map(seed => runPlan({ seed, hosts: { least: 3, most: 8 }, faults: { least: 1, most: 7 }, ride })))).toEqual([])
  })

  it('break no rule in swarm schedules', () => {
    expect(wrong(seeds(1_500, 12).map(seed => runSwarm(drawSwarm(seed, undefined, undefined, ride))))).toEqual([])
  })

  it('are what the plan of a swarm schedule says', () => {
    expect(drawSwarm(7, undefined, undefined, ride)).toEqual({ ...drawSwarm(7), ride })
  })
})
