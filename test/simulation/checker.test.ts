/**
 * The checker checked: each rule of the simulated parts that can be broken on purpose is broken, and must be found within a stated
 * number of seeds. With the rule whole the same schedules are clean.
 */
import { describe, expect, it } from 'vitest'
import { PROFILES } from '../../src/core/profile.ts'
import type { Violation } from '../../src/simulator/checker.ts'
import type { FaultName } from '../../src/simulator/faults.ts'
import { runPlan, runSchedule } from '../../src/simulator/schedule.ts'
import type { WorldOptions } from '../../src/simulator/world.ts'

interface Mutant {
  readonly what: string
  readonly options: WorldOptions
  readonly faults: readonly FaultName[]
  /** Rules of which one must be seen broken. */
  readonly rules: readonly string[]
  readonly within_seeds: number
}

/** Twice as many as were needed when this was written, or more: 18, 2, 1, 1, 1, 1, 21, 4 and 1. */
const MUTANTS: readonly Mutant[] = [
  { what: 'a claim replaces the one that stands', options: { broken: { claims_overwrite: true } }, faults: ['power-off, failing starts', 'reboot'], rules: ['S7', 'S1'], within_seeds: 60 },
  { what: 'the guard does not stop a virtual server at the deadline', options: { broken: { guard_never_stops: true } }, faults: ['power-off, no wake', 'cable', 'cable', 'cable'], rules: ['S1', 'S2'], within_seeds: 20 },
  { what: 'neither guard nor kernel ends an address', options: { broken: { guard_never_stops: true, addresses_never_expire: true } }, faults: ['cable'], rules: ['S1'], within_seeds: 3 },
  { what: 'D_exp is shorter than D_gone', options: { profile: { ...PROFILES.default, expire_ms: 1_200 } }, faults: ['power-off'], rules: ['S6'], within_seeds: 6 },
  { what: 'reads of the share are 5 s old', options: { broken: { reads_cached_ms: 5_000 } }, faults: ['kill-agent'], rules: ['S6', 'S1'], within_seeds: 3 },
  { what: 'the VIP is put on at boot', options: { broken: { address_at_boot: true } }, faults: ['power-off'], rules: ['S1'], within_seeds: 3 },
  { what: 'the remote hand says "released" and does nothing', options: { broken: { hand_lies: true } }, faults: ['break-daemon'], rules: ['S1'], within_seeds: 60 },
  { what: 'leases do not say whom their hosts ask for promises', options: { broken: { electorate_hidden: true } }, faults: ['share-hang', 'join'], rules: ['S1', 'S6'], within_seeds: 10 },
  { what: 'a stop is confirmed and not done, and neither does the guard end what it bars', options: { broken: { stop_lies: true, bar_lies: true } }, faults: ['power-off'], rules: ['S1'], within_seeds: 3 },
]

function firstFound(mutant: Mutant): number | undefined {
  for (let seed = 1; seed <= mutant.within_seeds; seed += 1) {
    if (violationsOf(mutant, seed, mutant.options).some(({ rule }) => mutant.rules.includes(rule))) return seed
  }
  return undefined
}

function violationsOf({ faults }: Mutant, seed: number, options: WorldOptions): readonly Violation[] {
  return runSchedule({ seed, faults, ...options }).violations
}

describe('the checker', () => {
  it.each(MUTANTS)('finds it when $what, and nothing in the same schedule when the rule is whole', mutant => {
    const seed = firstFound(mutant)
    if (seed === undefined) return expect.fail(`not found within ${mutant.within_seeds} seeds`)
    expect(violationsOf(mutant, seed, {})).toEqual([])
  })
})

/** The same for what only whole drawn schedules show: bounds and room. */
const DRAWN: readonly (Omit<Mutant, 'faults'>)[] = [
  { what: 'no nomination arrives', options: { broken: { nominations_lost: true } }, rules: ['L1'], within_seeds: 4 },
  { what: 'leases of lost hosts seem to be renewed for 8 s more', options: { broken: { leases_linger_ms: 8_000 } }, rules: ['L2'], within_seeds: 4 },
  { what: 'nobody says that there is no room', options: { broken: { reports_lost: true } }, rules: ['L1'], within_seeds: 80 },
  { what: 'nobody sees what memory is taken', options: { broken: { memory_unseen: true } }, rules: ['S4'], within_seeds: 80 },
]

describe('the checker of bounds and room', () => {
  it.each(DRAWN)('finds it when $what, and nothing in the same schedule when the rule is whole', ({ options, rules, within_seeds }) => {
    const play = (seed: number, broken: WorldOptions): readonly Violation[] => runPlan({ seed, hosts: { least: 3, most: 6 }, faults: { least: 1, most: 5 }, ...broken }).violations
    for (let seed = 1; seed <= within_seeds; seed += 1) {
      if (!play(seed, options).some(({ rule }) => rules.includes(rule))) continue
      return expect(play(seed, {})).toEqual([])
    }
    expect.fail(`not found within ${within_seeds} seeds`)
  })
})
