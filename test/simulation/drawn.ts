import { describe, expect, it } from 'vitest'
import { runPlan } from '../../src/simulator/schedule.ts'

/**
 * A portion of the schedules that are drawn whole from their seed: 3 to 12 hosts, up to n−1 of them struck, in bursts, in waves into the
 * recoveries, or at any time, with room for everything or not. Two files share the work, so that both cores have some.
 */
export function checkDrawnSchedules(first: number, count: number): void {
  describe(`${count} drawn schedules from seed ${first}`, () => {
    const results = Array.from({ length: count }, (_, index) => runPlan({ seed: first + index, hosts: { least: 3, most: 12 }, faults: { least: 1, most: 11 } }))

    it('break no rule and keep every bound (S1-S7, L1, L2)', () => {
      expect(results.filter(({ violations }) => violations.length > 0)).toEqual([])
    })

    it('all return to policy within the bound (L3)', () => {
      expect(results.filter(({ deviations }) => deviations.length > 0)).toEqual([])
    })

    it('contain every size and pattern, n−1 hosts struck, and hosts without room for all', () => {
      const plans = results.map(({ plan }) => plan)
      expect(new Set(plans.map(({ hosts }) => hosts)).size).toBe(10)
      expect(new Set(plans.map(({ pattern }) => pattern)).size).toBe(3)
      expect(plans.some(({ hosts, pattern, faults }) => pattern === 'burst' && hosts > 5 && faults.length === hosts - 1)).toBe(true)
      expect(plans.some(({ hosts, free_kb }) => free_kb < hosts * 256 * 1024)).toBe(true)
    })
  })
}
