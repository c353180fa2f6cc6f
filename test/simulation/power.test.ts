/**
 * Power controllers in random schedules: slow answers, machines that are switched off and on again meanwhile, and controllers that lie.
 * The checker compares every release by power with what is true of the host at that moment.
 */
import { describe, expect, it } from 'vitest'
import type { FaultName } from '../../src/simulator/faults.ts'
import { runSchedule, type ScheduleOptions } from '../../src/simulator/schedule.ts'

const results = (faults: readonly FaultName[], count: number, options: Partial<ScheduleOptions> = {}) =>
  Array.from({ length: count }, (_, index) => runSchedule({ seed: 90_001 + index, faults, power: 'all', ...options }))
const broken = (list: ReturnType<typeof results>) => list.filter(({ violations, deviations }) => violations.length + deviations.length > 0)

describe('power controllers in random schedules', () => {
  it('shorten the cut of a machine without power, and break no rule', () => {
    const with_power = results(['power-off'], 15)
    const without = results(['power-off'], 15, { power: 'none' })
    const median = (list: typeof without): number => list.map(({ cut_ms }) => cut_ms).sort((a, b) => a - b)[7]!
    expect(broken(with_power)).toEqual([])
    expect(median(with_power)).toBeLessThan(median(without) - 300)
  })

  // The word "off" arrives when the machine has booted and claimed again.
  it.each([2_000, 3_000, 4_500])('with answers that take %i ms never release what a rebooted host claimed', power_answer_ms => {
    expect(broken(results(['blink, failing starts'], 15, { power_answer_ms }))).toEqual([])
  })

  it('that call every host off take nothing from one that renews its lease', () => {
    expect(broken(results(['isolate'], 12, { broken: { power_lies: true } }))).toEqual([])
  })

  it('that call a host off which has lost the shared area too are believed, and the checker sees it', () => {
    const rules = results(['cable'], 12, { broken: { power_lies: true } }).flatMap(({ violations }) => violations.map(({ rule }) => rule))
    expect(rules).toContain('S6')
  })
})
