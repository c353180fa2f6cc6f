/** Rules whose removal alone nobody notices, and why: docs/broken-rules.md has them as a table. `scripts/broken-rules` plays them. */
import type { Play, RedundantRule } from './broken-rule.ts'
import { HOLDER_DOES_NOT_STOP_FIRST } from './recovery-rules.ts'

const GUARD = 'src/guard/guard-core.ts'
const GIVING = 'src/core/giving.ts'
const GIVING_EVENTS = 'src/core/giving-events.ts'
const CLAIM = 'src/core/right-to-claim.ts'
const OBSERVATION = 'src/core/observation.ts'
const POWER = 'src/core/power.ts'
const ELECTORATE = 'src/core/electorate.ts'
const PROMISE = 'src/core/promise.ts'
const REHOMING = 'src/core/rehoming.ts'
const SERVICE_RECOVERY = 'src/core/service-recovery.ts'

const ANYTHING: readonly Play[] = [{ story: 'mean' }, { drawn: { hosts: [3, 8], faults: [1, 7] } }]

const SWARM: readonly Play[] = [{ swarm: { hosts: [3, 6] } }]

export const REDUNDANT_RULES: readonly RedundantRule[] = [
  {
    name: 'acknowledgement-after-the-deadline', rule: 'R1', what: 'an acknowledgement after the deadline is not refused',
    edits: [{ file: GUARD, find: 'if (now_ms >= deadline_ms || deadline_ms <= this.deadline_ms) return false', replace: '' }],
    plays: [{ story: 'acknowledgement after the end' }, ...ANYTHING],
    because: 'the guard looks for what is overdue first: by then the generation is over',
  },
  {
    name: 'virtual-servers-ride', rule: 'R2', what: 'virtual servers of others go on in a ride',
    edits: [{ file: GUARD, find: "charge => !riding || charge.kind === 'virtual'", replace: '() => !riding' }],
    plays: [{ story: 'guard dies in a ride' }, ...ANYTHING],
    because: 'a promise covers all that its receiver gives; the rule is there for their images, which are on the share that has gone',
  },
  {
    name: 'gap-alone', rule: 'R3', what: 'a gap between reads is taken for silence',
    edits: [{ file: OBSERVATION, find: 'const gap = started_ms - state.share.last_returned_ms > 2 * state.profile.renew_ms', replace: 'const gap = false' }],
    plays: [{ story: 'share back one after the other' }, ...ANYTHING],
    because: 'who rides through the gap has promises of all, and they outlive it; without them: gap-is-silence',
  },
  {
    name: 'promise-ignored-at-the-claim', rule: 'R4', what: 'a nominee does not look for its own promise; managers do',
    edits: [{ file: CLAIM, find: 'if (isPromised(state, claim, silentUntil_ms(state, holder))) {', replace: 'if (isPromised(state, claim, silentUntil_ms(state, holder) + Infinity)) {' }],
    plays: [{ faults: ['share-hang', 'cable'] }, { story: 'partial network in a share outage' }, ...ANYTHING],
    because: 'who rides has the promises of all, so its managers have promised as well and nominate nobody; without them: own-promise-ignored',
  },
  {
    name: 'silence-until-the-return', rule: 'R3', what: 'silence counts to the return of a read, not to its issue',
    edits: [{ file: OBSERVATION, find: 'Math.max(0, started_ms - host.lease_since_ms)', replace: 'Math.max(0, context.now_ms - host.lease_since_ms)' }],
    plays: [{ story: 'nominees cannot read' }, ...ANYTHING],
    because: 'a read is given up after 1.5 s, and what it shows is followed by another while the virtual server loads',
  },
  {
    name: 'silence-by-the-clock-alone', rule: 'R3', what: 'silence goes on counting without a fresh read',
    edits: [{ file: CLAIM, find: 'if (host.lease_silent_ms < state.profile.expire_ms) {', replace: 'if (now_ms - host.lease_since_ms < state.profile.expire_ms) {' }],
    plays: [{ story: 'nominees cannot read' }, ...ANYTHING],
    because: 'the share must have been read within 2r, and D_stop + 2r is below D_exp; without that: silence-by-the-clock',
  },
  {
    name: 'share-not-fresh', rule: 'R5', what: 'claims do not need a read within 2r: there is no last fresh read',
    edits: [{ file: CLAIM, find: 'if (!shareFresh(state, now_ms))', replace: 'if (now_ms < 0)' }],
    plays: [{ story: 'nominees cannot read' }, ...ANYTHING],
    because: 'silence counts to the last good read only, and an older claim than the newest loses by link; without the first: silence-by-the-clock',
  },
  {
    name: 'claims-without-margin', rule: 'R4, R6', what: 'claims and starts with a lease that ends at once',
    edits: [{ file: CLAIM, find: 'return context.state.profile.stop_ms / 4', replace: 'return context.state.profile.stop_ms * 0' }, { file: GUARD, find: 'Math.max(margin_ms, 1)', replace: 'Math.max(margin_ms * 0, 1)' }],
    plays: [{ faults: ['cable', 'power-off'] }, ...ANYTHING],
    because: 'the guard stops at the deadline whatever has just begun; the margin saves a start that would be stopped in the middle',
  },
  {
    name: 'serves-for-any-generation', rule: 'R6', what: 'neither core nor guard compare the generation of a claim that is served',
    edits: [
      { file: GUARD, find: 'if (generation !== this.generation) return `generation ${generation} is over, the present one is ${this.generation}`', replace: '' },
      { file: GIVING, find: '&& claim.holder === state.self && claim.generation === state.own.generation && release === undefined', replace: '&& claim.holder === state.self && release === undefined' },
    ],
    plays: [{ faults: ['reboot'] }, { faults: ['cable', 'kill-guard'] }, ...ANYTHING],
    because: 'what is not given is not served but claimed anew (R7), and all that is given ends with its generation (R2)',
  },
  {
    name: 'former-life-taken-up', rule: 'R6', what: 'what was claimed in a former life is given at once, without a claim of this one',
    edits: [{ file: GIVING, find: 'if (claim.generation === state.own.generation) return takeUp', replace: 'if (claim.epoch > 0) return takeUp' }],
    plays: [{ faults: ['reboot'] }, { faults: ['cable'] }, ...ANYTHING],
    because: 'the very next step finds the generation wrong and claims anew, before the virtual server of another has its VIP; without that: serves-under-an-old-generation',
  },
  {
    name: 'gives-on-under-an-old-claim', rule: 'R6', what: 'who finds a newer claim of another goes on all the same',
    edits: [{ file: GIVING, find: 'if (claim.epoch > giving.epoch && claim.holder !== state.self) return stopGiving', replace: 'if (claim.epoch < 0) return stopGiving' }],
    plays: ANYTHING,
    because: 'nobody claims before a holder has stopped (R2, R4): it is the net below the operator\'s wrong word',
  },
  {
    name: 'given-up-epoch-forgotten', rule: 'R6', what: 'the agent forgets which of its epochs it has given up',
    edits: [
      { file: GIVING, find: 'claim !== undefined && epoch > given_up_epoch && claim.epoch === epoch', replace: 'claim !== undefined && given_up_epoch >= 0 && claim.epoch === epoch' },
      { file: GIVING, find: 'if (claim.epoch <= functionOf(state, name).given_up_epoch) return', replace: 'if (claim.epoch <= 0) return' },
    ],
    plays: [{ story: 'hang after a yield' }, ...ANYTHING],
    because: 'the guard has barred it; without that: released-epoch-served-again',
  },
  {
    name: 'lost-lease-keeps-what-was-begun', rule: 'R2', what: 'what was begun is not dropped in the agent when the lease is lost',
    edits: [{ file: GIVING_EVENTS, find: 'if (rides(giving)) {', replace: 'if (!rides(giving)) continue\n    else {' }],
    plays: [{ faults: ['cable'] }, ...ANYTHING],
    because: 'the guard has stopped it, and reconciling (R7) finds that it is not given',
  },
  {
    name: 'promises-while-it-claims', rule: 'R8', what: 'a host promises for an epoch that is over, or whose end it has ordered itself',
    edits: [{ file: PROMISE, find: 'if (isOver(state, from, epoch)) return', replace: 'if (epoch < 0 && isOver(state, from, epoch)) return' }],
    plays: [{ faults: ['share-hang', 'cable'] }, { story: 'partial network in a share outage' }, ...ANYTHING],
    because: 'whose lease was silent for D_exp gives nothing that could ride, and a release is written when the guard has barred its epoch',
  },
  {
    name: 'asks-the-present-ring-only', rule: 'R9', what: 'whom only an older record lists is not asked for a promise',
    edits: [{ file: ELECTORATE, find: 'new Set([...asked(state), ...state.own.electorate ?? []])', replace: 'new Set(asked(state))' }],
    plays: [{ story: 'taken out in a ride' }, { faults: ['share-hang', 'forget'] }],
    because: 'the guard refuses the ride; without that: forgets-whom-its-lease-lists',
  },
  {
    name: 'guard-does-not-compare', rule: 'R9', what: 'the guard does not compare who promised with whom its records list',
    edits: [{ file: GUARD, find: 'const missing = this.listed.filter(name => !promised.includes(name))', replace: 'const missing = promised.slice(0, 0)' }],
    plays: [{ story: 'taken out in a ride' }, { faults: ['share-hang', 'forget'] }],
    because: 'the agent asks them all; without that: forgets-whom-its-lease-lists',
  },
  {
    name: 'no-grace', rule: 'R10', what: 'a manager that has just started accuses at once',
    edits: [{ file: 'src/core/presence.ts', find: 'return state.was_whole ? -Infinity : state.started_ms + 3 * state.profile.expire_ms', replace: 'return -Infinity' }],
    plays: [{ faults: ['reboot', 'power-off'] }, ...ANYTHING],
    because: 'grace saves needless preparation at a cold start; the right to claim does not rest on it',
  },
  {
    name: 'off-releases-any-claim', rule: 'R4, power', what: 'a late "off" releases whatever the host holds when it arrives',
    edits: [{ file: POWER, find: 'for (const claim of standing) release(context, watch, claim)', replace: 'for (const claim of heldBy(state, watch.target)) release(context, watch, claim)' }],
    plays: [{ faults: ['blink, failing starts'], power: 'all', power_answer_ms: 3_000 }],
    because: 'who has booted and claimed again answers pings and renews; without that: off-releases-what-stands-now',
  },
  {
    name: 'release-before-the-stop', rule: 'release', what: 'a holder that gives a function up orders its release before it has stopped',
    edits: [{
      file: GIVING, find: "context.because(`Stop_${giving.function}_(${giving.kind}): ${why}`, { incident: giving.incident })\n",
      replace: "context.because(`Stop_${giving.function}_(${giving.kind}): ${why}`, { incident: giving.incident })\n  if (giving.hand_over === undefined && giving.stage === 'serving') context.do({ command: 'release', order: { function: giving.function, epoch: giving.epoch, how: 'not-started', by: context.state.self } })\n",
    }],
    plays: [{ faults: ['break-daemon, no hand'] }, { story: 'hang after a yield' }],
    because: 'the edge has the guard end and bar the epoch before it writes the record',
  },
  {
    name: 'holder-does-not-stop-first', rule: 'hand-over', what: 'a holder claims for its successor before it has stopped',
    edits: [HOLDER_DOES_NOT_STOP_FIRST],
    plays: [{ faults: ['power-off'] }, { count: 3 }, ...ANYTHING],
    because: 'the edge has the guard end and bar the epoch before it writes the claim; without that: nothing-stops-before-a-hand-over',
  },
  {
    name: 'returns-to-the-silent', rule: 'hand-over', what: 'a function is returned to a host that is not seen to renew',
    edits: [
      { file: GIVING, find: ' && isRenewing(state, to, context.now_ms)', replace: '' },
      { file: 'src/core/returning.ts', find: '!isRenewing(state, name, context.now_ms) || ', replace: '' },
    ],
    plays: [{ count: 3 }, { faults: ['power-off', 'share-hang all', 'power-off'], targets: ['ftp', 'ftp', 'ftp'] }, ...ANYTHING],
    because: 'who does not renew is lost again like any other, and its function taken over: a needless move, no second giver',
  },
  {
    name: 'stale-nomination', rule: '6', what: 'a nomination for an epoch that is over is accepted',
    edits: [{ file: 'src/core/nominee.ts', find: 'if (claim && claim.epoch > nomination.epoch) return', replace: 'if (claim && claim.epoch < 0) return' }],
    plays: ANYTHING,
    because: 'no message gives a right: the nominee finds the newer epoch at its next step and stops what it loads',
  },
  {
    name: 'room-by-the-manager', rule: 'S4', what: 'a manager does not look whether there is room',
    edits: [{ file: 'src/core/placement.ts', find: 'if (load.forecast.memory_kb < needed_kb) return', replace: 'if (load.forecast.memory_kb < -needed_kb) return' }],
    plays: [{ drawn: { hosts: [3, 12], faults: [1, 11] } }],
    because: 'the nominee looks itself; without that: room-not-rechecked',
  },
  {
    name: 'starts-without-limit', rule: '6', what: 'a host starts as many virtual servers at a time as it is asked to',
    edits: [{ file: 'src/core/placement.ts', find: 'export const STARTS_LIMIT = 2', replace: 'export const STARTS_LIMIT = 200' }],
    plays: ANYTHING,
    because: 'simulated starts do not slow each other; on real hosts they do (unit tests, `scripts/lab patterns`)',
  },
  {
    name: 'nobody-releases-what-was-taken-off', rule: 'release', what: 'a target whose VIP a hand has taken off waits for a record that its sender cannot write any more',
    edits: [{ file: GIVING, find: 'if (giving.taken_off_ms !== undefined && claim.epoch', replace: 'if (giving.taken_off_ms === Infinity && claim.epoch' }],
    plays: SWARM,
    because: 'its next manager finds the service bad, and takes off and releases what is off already: seconds later',
  },
  {
    name: 'takes-off-without-good-standing', rule: 'release', what: 'a manager that does not read the shared area takes VIPs off',
    edits: [{ file: SERVICE_RECOVERY, find: 'const standing = inGoodStanding(state, context.now_ms)', replace: 'const standing = inGoodStanding(state, context.now_ms) || state.order.length > 0' }],
    plays: SWARM,
    because: 'the target releases what was taken off, and its next manager does; it saves a cut by somebody who knows only what is past',
  },
  {
    name: 'second-manager-asks-for-no-return', rule: '6', what: 'P2 asks for no return while P1 is there and reaches nobody',
    edits: [{ file: 'src/core/returning.ts', find: 'return first !== undefined && !hostOf(state, first).reachable && p2Of', replace: 'return first === undefined && p2Of' }],
    plays: SWARM,
    because: 'the function is given all the while, and comes home when P1 is heard again',
  },
  {
    name: 'home-is-not-sooner', rule: '6', what: 'a function waits for a virtual server that loads, though its own server is back and good',
    edits: [{ file: REHOMING, find: '?? homeIsSooner(context, rehoming)', replace: '?? [homeIsSooner(context, rehoming)].slice(1)[0]' }],
    plays: SWARM,
    because: 'no bound is promised while a virtual server loads late, and this saves the wait for it',
  },
  {
    name: 'repair-outlives-its-epoch', rule: '5', what: 'a restart that was asked for is waited for though the target has claimed its function anew',
    edits: [{ file: SERVICE_RECOVERY, find: "if (watch.repair.step === 'restart' && claimedAnew(context.state, watch)) return startedAnew(context, watch)\n", replace: '' }],
    plays: SWARM,
    because: 'nothing is released under another epoch than the repair began with; a hand that does not answer is waited for 10 s longer',
  },
]
