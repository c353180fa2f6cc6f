/** The kernel (docs/protocol.md 3) broken rule by rule: who renews, stops, observes, claims, serves, rides. */
import type { BrokenRule, Edit } from './broken-rule.ts'

const GUARD = 'src/guard/guard-core.ts'
const SIMULATED_GUARD = 'src/simulator/simulated-guard.ts'
const GIVING = 'src/core/giving.ts'
const GIVING_EVENTS = 'src/core/giving-events.ts'
const CLAIM = 'src/core/right-to-claim.ts'
const OBSERVATION = 'src/core/observation.ts'
const PROMISE = 'src/core/promise.ts'
const ELECTORATE = 'src/core/electorate.ts'
const PROFILE = 'src/core/profile.ts'

/** Watchdog and kernel end what the guard has left: 3 s late. */
const NETS_LATE: Edit = { file: GUARD, find: 'return legal_ms + this.profile.gone_ms - this.profile.stop_ms', replace: 'return legal_ms + this.profile.gone_ms - this.profile.stop_ms + 3_000' }
const FORMER_GENERATION_COUNTS: Edit = { file: GUARD, find: 'if (renewal.generation !== this.generation) return false', replace: '' }
/** For nominees and managers alike. */
const PROMISE_IGNORED: Edit = { file: CLAIM, find: "return kind === 'native' && hostOf(state, holder).promised_until_ms > at_ms", replace: "return kind === 'native' && hostOf(state, holder).promised_until_ms > at_ms + Infinity" }

export const KERNEL_RULES: readonly BrokenRule[] = [
  {
    name: 'deadline-from-acknowledgement', rule: 'R1', what: 'the deadline counts from the acknowledgement of a renewal, not from before its issue',
    edits: [{ file: GUARD, find: 'const deadline_ms = renewal.issued_ms + this.profile.stop_ms', replace: 'const deadline_ms = now_ms + this.profile.stop_ms' }],
    play: { story: 'last acknowledgement late' }, seeds: { from: 15, count: 40 }, seen: ['S1'],
  },
  {
    name: 'late-acknowledgement-counts', rule: 'R1', what: 'an acknowledgement after the deadline, or of a former generation, brings the lease back',
    edits: [
      FORMER_GENERATION_COUNTS,
      { file: GUARD, find: 'if (now_ms >= deadline_ms || deadline_ms <= this.deadline_ms) return false', replace: '' },
      { file: GUARD, find: 'this.deadline_ms = deadline_ms\n    this.issued_ms', replace: 'this.deadline_ms = now_ms + this.profile.stop_ms\n    this.issued_ms' },
    ],
    play: { story: 'acknowledgement after the end' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'acknowledgement-of-a-former-generation', rule: 'R1', what: 'an acknowledgement of a former generation is not refused: the present one has a lease and no record',
    edits: [FORMER_GENERATION_COUNTS],
    play: { story: 'mean' }, seeds: { from: 31, count: 40 }, seen: ['S3'],
  },
  {
    name: 'first-lease-at-any-time', rule: 'R1', what: 'the first lease of a generation begins whenever a renewal is acknowledged, however long ago its first record was written',
    edits: [{ file: GUARD, find: 'if (this.deadline_ms === 0 && now_ms >= this.begun_ms! + this.profile.stop_ms) {', replace: 'if (this.deadline_ms > Infinity) {' }],
    play: { story: 'lease begins late' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'guard-alone-never-stops', rule: 'R2', what: 'the guard lets everything run on when its lease has run out: watchdog and kernel end it, and the next acknowledgement gives it new life',
    edits: [{ file: GUARD, find: 'if (this.deadline_ms > 0 && now_ms >= this.deadline_ms) {', replace: 'if (this.deadline_ms > Infinity) {' }],
    play: { faults: ['cable'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'guard-never-stops', rule: 'R2', what: 'guard, watchdog and kernel let everything run on for three seconds when the lease has run out',
    edits: [{ file: GUARD, find: 'if (this.deadline_ms > 0 && now_ms >= this.deadline_ms) {', replace: 'if (this.deadline_ms > Infinity) {' }, NETS_LATE],
    play: { faults: ['cable'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'no-watchdog', rule: 'R2', what: 'nothing kills the virtual servers of a guard that has died',
    edits: [{ file: SIMULATED_GUARD, find: 'if (!this.stopped_with_all && this.killed_at_ms.get(charge.function) === until_ms) this.killMachine(charge.function)', replace: '' }],
    play: { story: 'guard of a virtual server dies' }, seeds: { from: 1, count: 40 }, seen: ['S2'],
  },
  {
    name: 'address-outlives-guard', rule: 'R2', what: 'the kernel keeps addresses for three seconds more, and the guard is dead',
    edits: [{ file: GUARD, find: '- LIFETIME_OVERSHOOT_MS) / 1_000)', replace: '+ 3_000) / 1_000)' }],
    play: { story: 'guard dies for good' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'generation-stays', rule: 'R2', what: 'a lost lease does not begin another generation',
    edits: [{ file: GUARD, find: 'this.generation++\n    this.sequence = 0', replace: '' }],
    play: { story: 'back as it is claimed' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'older-records-believed', rule: 'R3', what: 'a pair that is older than the one seen counts as a renewal',
    edits: [{ file: OBSERVATION, find: 'const former = is_older ? host.older : host.lease', replace: 'const former = is_older ? undefined : host.lease' }],
    play: { story: 'reads go backwards' }, seeds: { from: 1, count: 40 }, seen: ['L1'],
  },
  {
    name: 'older-records-are-silence', rule: 'R3', what: 'an older record that was not seen before is no sign of life: a host whose disk was put back seems silent after a late word of its former life',
    edits: [{ file: OBSERVATION, find: 'host.lease_since_ms = now_ms\n    if (!is_older ||', replace: 'if (!is_older) host.lease_since_ms = now_ms\n    if (!is_older ||' }],
    play: { story: 'late word of a former life' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'first-sight-is-silence', rule: 'R3', what: 'a host that has just started takes what it sees first for old: it counts no silence of its own',
    edits: [{ file: OBSERVATION, find: 'host.missing = false\n    host.lease_since_ms = now_ms', replace: 'host.missing = false\n    host.lease_since_ms = former ? now_ms : -Infinity' }],
    play: { story: 'nominees start afresh' }, seeds: { from: 1, count: 40 }, seen: ['S6'],
  },
  {
    name: 'silence-by-the-clock', rule: 'R3, R5', what: 'silence goes on counting without a fresh read, and what was read long ago is acted on',
    edits: [{ file: CLAIM, find: 'if (host.lease_silent_ms < state.profile.expire_ms) {', replace: 'if (now_ms - host.lease_since_ms < state.profile.expire_ms) {' }, { file: CLAIM, find: 'if (!shareFresh(state, now_ms))', replace: 'if (now_ms < 0)' }],
    play: { story: 'nominees cannot read' }, seeds: { from: 5, count: 40 }, seen: ['S1'],
  },
  {
    name: 'gap-is-silence', rule: 'R3', what: 'a gap between reads is taken for silence',
    edits: [
      { file: OBSERVATION, find: 'const gap = started_ms - state.share.last_returned_ms > 2 * state.profile.renew_ms', replace: 'const gap = false' },
      PROMISE_IGNORED,
    ],
    play: { story: 'share back one after the other' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'own-promise-ignored', rule: 'R4', what: 'who has promised claims all the same',
    edits: [PROMISE_IGNORED],
    play: { faults: ['share-hang'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'read-before-the-end-of-a-promise', rule: 'R4', what: 'what was read before an own promise ended still proves silence when it has ended',
    edits: [{ file: CLAIM, find: 'if (isPromised(state, claim, silentUntil_ms(state, holder))) {', replace: 'if (isPromised(state, claim, now_ms + 0 * silentUntil_ms(state, holder))) {' }],
    play: { story: 'renewal at the end of a ride' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'expiry-before-the-end', rule: 'R4', what: 'D_exp is 1.2 s, below D_stop',
    edits: [{ file: PROFILE, find: 'gone_ms: 2_800, expire_ms: 3_100', replace: 'gone_ms: 2_800, expire_ms: 1_200' }],
    play: { faults: ['power-off'] }, seeds: { from: 1, count: 40 }, seen: ['S6'],
  },
  {
    name: 'expiry-before-the-kernel', rule: 'R4', what: 'D_exp is 2.1 s, above D_stop and below D_gone',
    edits: [{ file: PROFILE, find: 'gone_ms: 2_800, expire_ms: 3_100', replace: 'gone_ms: 2_800, expire_ms: 2_100' }],
    play: { story: 'guard dies for good' }, seeds: { from: 1, count: 40 }, seen: ['S6'],
  },
  {
    name: 'acts-on-probes', rule: 'R4', what: 'the thesis as written: who is not reached is taken over, whatever its lease says',
    edits: [{ file: CLAIM, find: 'if (host.lease_silent_ms < state.profile.expire_ms) {', replace: 'if (host.lease_silent_ms < 0) {' }, { file: CLAIM, find: 'return holder.lease_silent_ms >= state.profile.expire_ms &&', replace: 'return' }, { file: 'src/core/watching.ts', find: 'else if (missesRenewals(state, watch.target) && !mostVanished(state)) {', replace: 'else if (!mostVanished(state)) {' }],
    play: { faults: ['isolate'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'unmanaged-is-taken', rule: 'R4', what: 'what a host keeps without management is taken from it',
    edits: [{ file: CLAIM, find: "return kind === 'native' && hostOf(state, holder).lease?.standing === 'unmanaged'", replace: "return kind === 'native' && hostOf(state, holder) === undefined" }],
    play: { faults: ['forget', 'power-off'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'claim-not-exclusive', rule: 'R5', what: 'who has asked for a claim takes it for won, whoever holds it',
    edits: [{
      file: GIVING_EVENTS, find: 'noteClaim(context, event.function, event.standing)\n    if (facts',
      replace: "noteClaim(context, event.function, state.giving.get(event.function)?.stage === 'claiming' ? { ...event.standing, epoch: event.epoch, holder: state.self, generation: state.own.generation } : event.standing)\n    if (facts",
    }],
    play: { story: 'back as it is claimed' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'serves-under-an-old-generation', rule: 'R6', what: 'what was claimed in a former life is given at once, and no claim of this life follows',
    edits: [
      { file: GIVING, find: 'if (claim.generation === state.own.generation) return takeUp', replace: 'if (claim.epoch > 0) return takeUp' },
      { file: GIVING, find: '&& claim.holder === state.self && claim.generation === state.own.generation && release === undefined', replace: '&& claim.holder === state.self && release === undefined' },
    ],
    play: { faults: ['reboot'] }, seeds: { from: 28, count: 40 }, seen: ['S1'],
  },
  {
    name: 'barred-epoch-armed', rule: 'R6', what: 'the guard takes an epoch in its charge which the remote hand has barred there',
    edits: [{ file: GUARD, find: 'if (charge.epoch <= (this.barred.get(charge.function) ?? 0)) return', replace: 'if (charge.epoch <= 0) return' }],
    play: { story: 'fresh agent before a late release' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'released-epoch-served-again', rule: 'R6', what: 'an epoch whose release was ordered is served again before the record is read back',
    edits: [
      { file: GIVING, find: 'claim !== undefined && epoch > given_up_epoch && claim.epoch === epoch', replace: 'claim !== undefined && given_up_epoch >= 0 && claim.epoch === epoch' },
      { file: GIVING, find: 'if (claim.epoch <= functionOf(state, name).given_up_epoch) return', replace: 'if (claim.epoch <= 0) return' },
      { file: GUARD, find: 'if (charge.epoch <= (this.barred.get(charge.function) ?? 0)) return', replace: 'if (charge.epoch <= 0) return' },
    ],
    play: { story: 'hang after a yield' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'never-reconciled', rule: 'R7', what: 'a function whose newest claim names this host and that it does not give stays so',
    edits: [{ file: GIVING, find: 'if (claim.holder !== state.self || release) return\n  if (state.leaving)', replace: 'if (claim.holder !== undefined) return\n  if (state.leaving)' }],
    play: { faults: ['reboot'] }, seeds: { from: 1, count: 40 }, seen: ['L1'],
  },
  {
    name: 'rides-without-promises', rule: 'R8', what: 'a host that asks for promises rides without waiting for them',
    edits: [{ file: PROMISE, find: 'if (promisesNeeded(state).length === 0) ride(context)', replace: 'ride(context)' }, { file: PROMISE, find: 'Math.min(promise.sent_ms, ...others)', replace: 'promise.sent_ms + 0 * others.length' }],
    play: { faults: ['cable'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'rides-on-one-promise', rule: 'R8', what: 'the promise of any one host is enough',
    edits: [{ file: PROMISE, find: 'Math.min(promise.sent_ms, ...others)', replace: 'Math.min(promise.sent_ms, Math.max(...others))' }],
    play: { story: 'partial network in a share outage' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'rides-on-a-majority', rule: 'R8', what: 'the promises of half of the others are enough',
    edits: [{ file: PROMISE, find: 'Math.min(promise.sent_ms, ...others)', replace: 'Math.min(promise.sent_ms, others.sort((one, other) => other - one)[Math.floor(others.length / 2)]!)' }],
    play: { story: 'partial network in a share outage' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'ride-without-end', rule: 'R8', what: 'a ride goes on for a minute after the last promise',
    edits: [{ file: PROMISE, find: '+ profile.promise_ms\n  if (until_ms', replace: '+ 60_000\n  if (until_ms' }, { file: GUARD, find: 'Math.min(until_ms, now_ms + this.profile.promise_ms)', replace: 'until_ms' }],
    play: { story: 'cable pulled in a ride' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'asks-behind-a-silent-guard', rule: 'R8', what: 'an agent whose guard does not answer its orders goes on asking for promises, and nobody may give what nobody gives',
    edits: [{ file: PROMISE, find: 'return !guard_silent && now_ms', replace: 'return (guard_silent || true) && now_ms' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 10_000_035, count: 40 }, seen: ['L1'],
  },
  {
    name: 'asks-without-lease-or-ride', rule: 'R8', what: 'an agent whose guard has neither lease nor ride, and has not said that it stopped, goes on asking for promises',
    edits: [{ file: PROMISE, find: 'return !guard_silent && now_ms', replace: 'return !guard_silent || now_ms' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 10_000_490, count: 10 }, seen: ['L1'],
  },
  {
    name: 'promise-counts-from-its-answer', rule: 'R8', what: 'a promise counts from its answer, not from its asking, and is kept as if it had counted from the asking',
    edits: [{ file: PROMISE, find: 'Math.max(sent_ms, state.promise.answered_ms.get(from) ?? -Infinity)', replace: 'Math.max(context.now_ms + 2 * state.profile.promise_ms, sent_ms)' }, { file: PROMISE, find: 'Math.min(promise.sent_ms, ...others)', replace: 'Math.min(...others)' }, { file: GUARD, find: 'Math.min(until_ms, now_ms + this.profile.promise_ms)', replace: 'until_ms' }],
    play: { story: 'guard dies in a ride' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'promise-shorter-than-the-kernel', rule: 'R8', what: 'a promise is kept for D_promise alone, without the time until the kernel has ended the address',
    edits: [{ file: PROFILE, find: '(profile.promise_ms + profile.gone_ms - profile.stop_ms) * (1', replace: 'profile.promise_ms * (1' }],
    play: { story: 'guard dies in a careful ride' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'claims-without-being-asked', rule: 'R9', what: 'a host claims by silence though the holder does not ask it for promises',
    edits: [{ file: ELECTORATE, find: 'return electorate === undefined || electorate.includes(claimer)', replace: 'return electorate !== undefined || claimer.length > 0' }],
    play: { faults: ['share-hang', 'join'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'forgets-whom-its-lease-lists', rule: 'R9', what: 'only the present ring is asked for promises, not those whom a lease on the share still lists',
    edits: [
      { file: ELECTORATE, find: 'new Set([...asked(state), ...state.own.electorate ?? []])', replace: 'new Set(asked(state))' },
      { file: GUARD, find: 'const missing = this.listed.filter(name => !promised.includes(name))', replace: 'const missing = promised.slice(0, 0)' },
    ],
    play: { story: 'taken out in a ride' }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    name: 'gives-at-boot', rule: 'R10', what: 'a host that has booted gives its own function, whoever has claimed it meanwhile',
    edits: [{
      file: GIVING, find: 'if (claim.holder !== state.self || release) return\n  if (state.leaving)',
      replace: "if (claim.holder !== state.self && name === state.self && !release) return startServing(context, beginGiving(context, name, 'native'), claim.epoch)\n  if (claim.holder !== state.self || release) return\n  if (state.leaving)",
    }],
    play: { faults: ['power-off'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
]
