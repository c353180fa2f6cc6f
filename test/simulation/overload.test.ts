/** Hosts whose processors are taken: what they hear too late is nobody's fault, and what does not depend on their speed goes on. */
import { describe, expect, it } from 'vitest'
import { runSchedule } from '../../src/simulator/schedule.ts'

const results = (options: Omit<Parameters<typeof runSchedule>[0], 'seed'>, count: number) => Array.from({ length: count }, (_, index) => runSchedule({ seed: 95_001 + index, ...options }))

describe('overloaded hosts in random schedules', () => {
  it('cut nobody off', () => {
    const played = results({ faults: ['overload'] }, 20)
    expect(played.filter(({ violations, deviations }) => violations.length + deviations.length > 0)).toEqual([])
    expect(played.map(({ cut_ms }) => cut_ms)).toEqual(played.map(() => 0))
  })

  it('break no rule beside power cuts and broken services', () => {
    const played = results({ faults: ['overload', 'power-off', 'break-daemon', 'stop-daemon'], count: 3 }, 20)
    expect(played.filter(({ violations, deviations }) => violations.length + deviations.length > 0)).toEqual([])
  })
})
