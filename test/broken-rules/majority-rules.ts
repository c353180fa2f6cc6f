/** R8 by majority (docs/protocol.md 3) broken rule by rule: who may miss promises, and who must hold none when the function is claimed. */
import type { BrokenRule, Edit } from './broken-rule.ts'

const CONSENT = 'src/core/consent.ts'
const ELECTORATE = 'src/core/electorate.ts'
const GUARD = 'src/guard/guard-core.ts'

/** The exhaustive search takes it out as well. */
export const CLAIMS_WITHOUT_CONSENTS: Edit = { file: CONSENT, find: "return kind === 'virtual' ? 1 : 1 + (state.hosts.get(holder)?.lease?.may_miss ?? 0)", replace: "return kind === 'virtual' ? 1 : 1 + 0 * (state.hosts.get(holder)?.lease?.may_miss ?? 0)" }

export const MAJORITY_RULES: readonly BrokenRule[] = [
  {
    name: 'claims-without-consents', rule: 'R8', what: 'by majority: who claims by silence asks nobody whether a promise stands',
    edits: [CLAIMS_WITHOUT_CONSENTS],
    play: { story: 'ride by three of five' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'one-consent-too-few', rule: 'R8', what: 'by majority: as many hosts without a promise are enough as a ride may miss',
    edits: [{ file: CONSENT, find: "return kind === 'virtual' ? 1 : 1 + (state.hosts.get(holder)?.lease?.may_miss ?? 0)", replace: "return kind === 'virtual' ? 1 : state.hosts.get(holder)?.lease?.may_miss ?? 1" }],
    play: { story: 'smaller half has the share' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'one-promise-too-few', rule: 'R8', what: 'by majority: a ride may miss one promise more than its lease says',
    edits: [{ file: ELECTORATE, find: 'return Math.min(mayMiss(state, asked(state).length), state.own.may_miss ?? 0)', replace: 'return 1 + Math.min(mayMiss(state, asked(state).length), state.own.may_miss ?? 0)' }, { file: GUARD, find: 'if (missing.length > this.listed_may_miss) return', replace: 'if (missing.length > this.listed_may_miss + 1) return' }],
    play: { story: 'ride by two of five' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'consents-despite-a-promise', rule: 'R8', what: 'by majority: whoever has promised says that no promise stands',
    edits: [{ file: CONSENT, find: 'return Math.max(state.hosts.get(holder)?.promised_until_ms ?? -Infinity, state.started_ms', replace: 'return Math.max(-Infinity * (state.hosts.has(holder) ? 1 : 1), state.started_ms' }],
    play: { story: 'ride by three of five' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'consents-after-a-restart', rule: 'R8', what: 'by majority: an agent that has just started knows of no promise of its former life, and says so',
    edits: [{ file: CONSENT, find: 'state.started_ms + promiseGiven_ms(state.profile))', replace: 'state.started_ms - promiseGiven_ms(state.profile))' }],
    play: { story: 'promiser starts afresh' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'consents-of-different-times', rule: 'R8', what: 'by majority: it is enough that each held no promise at some time',
    edits: [{ file: CONSENT, find: 'return from_ms <= at_ms && at_ms <= until_ms', replace: 'return from_ms <= at_ms || until_ms > -Infinity' }],
    play: { story: 'promisers change' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'freedom-is-not-measured', rule: 'R8', what: 'by majority: whoever answers is taken to have held no promise since it was asked',
    edits: [{ file: CONSENT, find: 'if (sent_ms !== undefined && from_ms <= sent_ms) consents', replace: 'if (sent_ms !== undefined) consents' }, { file: CONSENT, find: 'consents.free_ms.set(from, { from_ms, until_ms: sent_ms })', replace: 'consents.free_ms.set(from, { from_ms: Math.min(from_ms, sent_ms), until_ms: sent_ms })' }],
    play: { story: 'promisers change, questions late' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'read-before-the-question', rule: 'R8', what: 'by majority: the read that shows the silence may be older than the answers',
    edits: [{ file: CONSENT, find: 'at_ms <= issued_ms && voters', replace: 'at_ms <= issued_ms + Infinity && voters' }],
    play: { story: 'share back, reads late' }, seeds: { from: 1, count: 40 }, seen: ['S1', 'S6'],
  },
  {
    name: 'consents-outlive-a-renewal', rule: 'R8', what: 'by majority: what was heard counts though the holder has renewed since',
    edits: [{ file: CONSENT, find: 'consents.generation === lease?.generation && consents.sequence === lease.sequence ?', replace: 'lease ?' }],
    play: { story: 'second outage' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
]
