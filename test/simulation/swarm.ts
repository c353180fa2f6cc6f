import { describe, expect, it } from 'vitest'
import { runSwarm } from '../../src/simulator/schedule.ts'
import { drawSwarm, SWARM_KINDS } from '../../src/simulator/swarm.ts'

/** A portion of the swarm schedules, five minutes of faults each. Two files share the work, so that both cores have some. */
export function checkSwarmSchedules(first: number, count: number): void {
  describe(`${count} swarm schedules from seed ${first}`, () => {
    const plans = Array.from({ length: count }, (_, index) => drawSwarm(first + index))
    const results = plans.map(plan => runSwarm(plan))

    it('break no rule and keep every bound (S1-S7, L1, L2)', () => {
      expect(results.filter(({ violations }) => violations.length > 0)).toEqual([])
    })

    it('all return to policy within the bound (L3)', () => {
      expect(results.filter(({ deviations }) => deviations.length > 0)).toEqual([])
    })

    it('last five minutes at least, with three faults at least, and leave no kind out', () => {
      expect(results.every(({ virtual_ms }) => virtual_ms > 300_000)).toBe(true)
      expect(plans.every(({ faults }) => faults.length >= 3)).toBe(true)
      expect([...new Set(plans.flatMap(({ faults }) => faults.map(({ fault }) => fault)))].sort()).toEqual([...SWARM_KINDS].sort())
    })
  })
}
