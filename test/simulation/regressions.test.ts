import { describe, expect, it } from 'vitest'
import { runSchedule } from '../../src/simulator/schedule.ts'

/** Schedules that once broke a rule or did not return to policy. Each stays, with what it had found. */
const SEEDS: readonly { readonly seed: number; readonly count: number; readonly found: string }[] = [
  { seed: 902_560, count: 3, found: 'a simulated guard renewed before it had taken over its forerunner\'s sequence' },
  { seed: 1_026, count: 3, found: 'a function was returned to a host whose silence had been counted anew after a share outage' },
  { seed: 5_145, count: 3, found: 'the checker took a renewal held up in the hung share for health' },
]

describe('seeds that stay', () => {
  it.each(SEEDS)('$found (seed $seed)', ({ seed, count }) => {
    const { violations, deviations } = runSchedule({ seed, count })
    expect({ violations, deviations }).toEqual({ violations: [], deviations: [] })
  })
})
