/**
 * A reduced exhaustive search of the kernel: everything that one fault can do to two hosts, and one kind of fault to three. docs/proof.md tells of the large searches.
 * Rules that are broken on purpose must be found, each by a search that is clean when the rule is whole.
 */
import { describe, expect, it } from 'vitest'
import { searchWithin } from '../../src/simulator/exhaustive/search.ts'
import type { Bounds } from '../../src/simulator/exhaustive/coarse-time.ts'
import { CLAIMS_WITHOUT_CONSENTS } from '../broken-rules/majority-rules.ts'
import { searchWith, type Edit } from './exhaustive-rules.ts'

const ONE_FAULT: Bounds = { hosts: 2, functions: 1, epochs: 3, generations: 2, faults: 1, hand_overs: true }
const MAJORITY: Partial<Bounds> = { hosts: 3, epochs: 2, hand_overs: false, ride: 'majority' }
/** States; the broken rules are found within a quarter of it. */
const STATES_LIMIT = 400_000
/** By majority a ride and a claim meet only when two hosts fail in two ways. */
const MAJORITY_STATES_LIMIT = 2_000_000
/** Against hanging only. */
const HANGING_MS = 300_000

describe('the exhaustive search', () => {
  it.each([
    { name: 'two hosts', bounds: ONE_FAULT, sees: ['claim by first', 'claim by own-past', 'claim by silence', 'claim by hand-over', 'ride'] },
    { name: 'three hosts, when one freezes', bounds: { ...ONE_FAULT, hosts: 3, epochs: 2, only: ['host frozen'], hand_overs: false }, sees: ['claim by first', 'claim by own-past', 'claim by silence'] },
    { name: 'three hosts that ride by majority, when one freezes', bounds: { ...ONE_FAULT, ...MAJORITY, only: ['host frozen'] }, sees: ['claim by first', 'claim by own-past', 'claim by silence'] },
  ])('finds no violation with one fault and $name, and reaches all there is', ({ bounds, sees }) => {
    const { found, complete, sights } = searchWithin(bounds, { states: STATES_LIMIT, goOn: () => true })
    expect(found).toBeUndefined()
    expect(complete).toBe(true)
    expect([...sights.keys()]).toEqual(expect.arrayContaining(sees))
  }, HANGING_MS)
})

interface BrokenRule {
  readonly what: string
  readonly edits: readonly Edit[]
  readonly faults: number
  readonly only: readonly string[]
  readonly rules: readonly string[]
  /** Other than those of one fault at two hosts. */
  readonly bounds?: Partial<Bounds>
  readonly states?: number
}

const GUARD = 'src/guard/guard-core.ts'
const CLAIM = 'src/core/right-to-claim.ts'
const OBSERVATION = 'src/core/observation.ts'
const PROMISE = 'src/core/promise.ts'
const PROMISES_BIND_NOT: Edit = { file: CLAIM, find: 'hostOf(state, holder).promised_until_ms > at_ms', replace: 'hostOf(state, holder).promised_until_ms > at_ms + 1e9' }
/** The agent's half of the rule for hand-overs: alone it keeps the other half's mistakes harmless. */
const HAND_OVER_BARS_NOTHING: Edit = { file: 'src/simulator/exhaustive/kernel-acts.ts', find: "if (order.proof === 'hand-over') this.bar(host, order.function, order.epoch - 1)", replace: '' }

/** Each with the faults that bring it to light: all of them are for the command. */
const BROKEN_RULES: readonly BrokenRule[] = [
  {
    what: 'guard and kernel end nothing (R2)', rules: ['S1', 'S3'], faults: 1, only: ['host frozen'],
    edits: [{ file: GUARD, find: 'return legal_ms + this.profile.gone_ms - this.profile.stop_ms', replace: 'return legal_ms + 9 * this.profile.gone_ms' }],
  },
  {
    what: 'a gap between reads is taken for silence, by promise or not (R3, R4)', rules: ['S1', 'S3', 'S6'], faults: 1, only: ['share dead for all'],
    edits: [{ file: OBSERVATION, find: 'const gap = started_ms - state.share.last_returned_ms > 2 * state.profile.renew_ms', replace: 'const gap = false' }, PROMISES_BIND_NOT],
  },
  {
    what: 'a claim newer than the lease is no sign of life (R3)', rules: ['S6'], faults: 2, only: ['host frozen', 'share slow'],
    edits: [{ file: OBSERVATION, find: '  noteSignOfLife(context, claim)\n  facts', replace: '  facts' }],
  },
  { what: 'D_exp is as short as D_stop (R4)', rules: ['S1', 'S3', 'S6'], faults: 1, only: ['host frozen'], edits: [{ file: 'src/simulator/exhaustive/coarse-time.ts', find: 'expire: 6,', replace: 'expire: 4,' }] },
  { what: 'a promise does not bind (R4, R8)', rules: ['S1', 'S3'], faults: 1, only: ['share dead'], edits: [PROMISES_BIND_NOT] },
  {
    what: 'a host rides without promises (R8)', rules: ['S1', 'S3'], faults: 1, only: ['cable pulled'],
    edits: [{ file: PROMISE, find: 'if (promisesNeeded(state).length === 0) ride(context)', replace: 'ride(context)' }, { file: PROMISE, find: 'Math.min(promise.sent_ms, ...others)', replace: 'promise.sent_ms + 0 * others.length' }],
  },
  {
    what: 'a host rides before any record says whom it asks (R8, R9)', rules: ['S1', 'S3'], faults: 1, only: ['cable pulled'],
    edits: [{ file: GUARD, find: "if (!this.listed) return 'no lease record says yet who is asked for promises'", replace: '' }, { file: GUARD, find: 'const missing = this.listed.filter', replace: 'const missing = (this.listed ?? []).filter' }],
  },
  {
    what: 'who has ordered a hand-over may give again (R5)', rules: ['S1', 'S3'], faults: 2, only: ['host frozen', 'claim unanswered'],
    edits: [
      { file: 'src/core/giving-events.ts', find: 'functionOf(state, event.function).given_up_epoch = claim.epoch', replace: '' },
      HAND_OVER_BARS_NOTHING,
    ],
  },
  {
    what: 'who hands a function over claims before it has stopped', rules: ['S1', 'S3'], faults: 1, only: ['host frozen'],
    edits: [HAND_OVER_BARS_NOTHING, {
      file: 'src/core/giving.ts', find: 'giving.hand_over = { to, generation, kind }\n',
      replace: "giving.hand_over = { to, generation, kind }\n  context.do({ command: 'claim', order: { function: giving.function, epoch: giving.epoch + 1, holder: to, generation, kind, proof: 'hand-over', by: state.self } })\n",
    }],
  },
  {
    what: 'who claims by silence asks nobody whether a promise stands (R8 by majority)', rules: ['S1', 'S3'], faults: 2, only: ['a: share dead', 'c: network dead'], bounds: MAJORITY, states: MAJORITY_STATES_LIMIT,
    edits: [CLAIMS_WITHOUT_CONSENTS],
  },
]

describe('the exhaustive search with a broken rule', () => {
  it.each(BROKEN_RULES)('finds it when $what', async ({ edits, faults, only, rules, bounds, states = STATES_LIMIT }) => {
    const searchBroken = await searchWith(edits)
    const { found } = searchBroken({ ...ONE_FAULT, ...bounds, faults, only }, { states, goOn: () => true })
    expect(rules).toContain(found?.rule)
    expect(found!.steps.length).toBeGreaterThan(0)
  }, HANGING_MS)
})
