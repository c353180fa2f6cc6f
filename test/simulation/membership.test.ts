/** Servers that join, are taken out for good, or lose their flag for a while, while hosts learn of it seconds apart and other things fail: no rule is broken, and the new ring is policy at the end. */
import { describe, expect, it } from 'vitest'
import type { FaultName } from '../../src/simulator/faults.ts'
import { runSchedule } from '../../src/simulator/schedule.ts'

const STORIES: readonly (readonly FaultName[])[] = [
  ['join'], ['forget'], ['power-off and forget'], ['forget', 'join'], ['join', 'power-off'], ['join', 'join', 'forget'],
  ['join', 'share-hang all'], ['share-hang all', 'join'], ['share-hang', 'join'], ['forget', 'share-hang all'], ['share-hang', 'forget', 'share-hang all'],
  ['join', 'cable', 'share-hang all'], ['join', 'reboot', 'share-hang all'], ['join', 'kill-guard', 'share-hang'], ['power-off, no wake', 'power-off and forget', 'join'],
]
/** Management is switched off on a host and on again while others ride, ask it or do not, and fail. */
const FLAGS: readonly (readonly FaultName[])[] = [
  ['flag off and on'], ['flag off and on', 'share-hang'], ['flag off and on', 'share-hang all'], ['share-hang', 'flag off and on'], ['share-hang all', 'flag off and on'],
  ['flag off and on', 'share-hang', 'cable'], ['flag off and on', 'share-hang', 'kill-guard'], ['flag off and on', 'flag off and on', 'share-hang', 'share-hang'],
]
/** Whose promises carry a ride is changed, once or twice. */
const POLICIES: readonly (readonly FaultName[])[] = [
  ['other ride policy'], ['share-hang', 'other ride policy'], ['share-hang all', 'other ride policy'], ['other ride policy', 'share-hang', 'cable'], ['other ride policy', 'share-hang', 'kill-guard'],
  ['other ride policy', 'halves, share on one side'], ['halves, share on one side', 'other ride policy'], ['power-off, no wake', 'other ride policy', 'share-hang all'], ['other ride policy', 'join', 'share-hang', 'other ride policy'],
]
const SEEDS = [1, 2, 3, 4]

describe('a ring that changes', () => {
  it.each([...STORIES, ...FLAGS, ...POLICIES].map(faults => ({ faults, story: faults.join(', ') })))('breaks no rule and settles: $story', ({ faults }) => {
    const results = SEEDS.map(seed => runSchedule({ seed: 80_000 + seed, faults }))
    expect(results.filter(result => result.violations.length > 0 || result.deviations.length > 0)).toEqual([])
  })

  it.each([...STORIES, ...FLAGS, ...POLICIES].map(faults => ({ faults, story: faults.join(', ') })))('breaks no rule and settles, by majority: $story', ({ faults }) => {
    const results = SEEDS.map(seed => runSchedule({ seed: 80_000 + seed, faults, ride: 'majority' }))
    expect(results.filter(result => result.violations.length > 0 || result.deviations.length > 0)).toEqual([])
  })
})
