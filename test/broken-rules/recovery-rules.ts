/** What finds, moves and returns functions (docs/protocol.md 3 to 6), broken rule by rule. */
import type { BrokenRule, Edit } from './broken-rule.ts'

const GIVING = 'src/core/giving.ts'
const GIVING_EVENTS = 'src/core/giving-events.ts'
const REHOMING = 'src/core/rehoming.ts'
const POWER = 'src/core/power.ts'
const NOMINEE = 'src/core/nominee.ts'

/** Alone it is harmless: the guard ends and bars the epoch before the claim is written. */
export const HOLDER_DOES_NOT_STOP_FIRST: Edit = {
  file: GIVING, find: 'giving.hand_over = { to, generation, kind }\n',
  replace: "giving.hand_over = { to, generation, kind }\n  context.do({ command: 'claim', order: { function: giving.function, epoch: giving.epoch + 1, holder: to, generation, kind, proof: 'hand-over', by: state.self } })\n  context.send(to, { kind: 'look' })\n",
}

export const RECOVERY_RULES: readonly BrokenRule[] = [
  {
    name: 'off-is-believed-at-once', rule: 'R4, power', what: '"off" counts though no renewals are missed',
    edits: [{ file: POWER, find: 'if (host.lease_silent_ms < missed_ms) {', replace: 'if (host.lease_silent_ms < -missed_ms) {' }],
    play: { faults: ['isolate'], power: 'all', broken: { power_lies: true } }, seeds: { from: 1, count: 40 }, seen: ['S6'],
  },
  {
    name: 'off-though-it-renews', rule: 'R4, power', what: '"off" does not need a lease that has not grown since the question: who is back stays down',
    edits: [{ file: POWER, find: 'return hostOf(state, target).lease_grew_ms > since_ms', replace: 'return hostOf(state, target).lease_grew_ms > Math.max(since_ms, Infinity)' }],
    play: { faults: ['isolate'], power: 'all', broken: { power_lies: true } }, seeds: { from: 1, count: 40 }, seen: ['L3'],
  },
  {
    name: 'off-releases-what-stands-now', rule: 'R4, power', what: 'a late "off" releases what the host has claimed since the question',
    edits: [
      { file: POWER, find: 'claim.epoch === asked.epoch && claim.generation === asked.generation && ', replace: '' },
      { file: POWER, find: 'for (const claim of standing) release(context, watch, claim)', replace: 'for (const claim of heldBy(state, watch.target)) release(context, watch, claim)' },
      { file: POWER, find: 'if (host.lease_silent_ms < missed_ms) {', replace: 'if (host.lease_silent_ms < -missed_ms) {' },
      { file: POWER, find: 'return hostOf(state, target).lease_grew_ms > since_ms', replace: 'return hostOf(state, target).lease_grew_ms > Math.max(since_ms, Infinity)' },
      { file: POWER, find: 'if (!isSilent(watch) || isHeld(state)) return', replace: 'if (isHeld(state)) return' },
    ],
    play: { faults: ['blink, failing starts'], power: 'all', power_answer_ms: 3_000 }, seeds: { from: 90_001, count: 40 }, seen: ['S6'],
  },
  {
    name: 'nothing-stops-before-a-hand-over', rule: 'hand-over', what: 'a holder claims for its successor before it has stopped, and its guard does not bar the epoch before',
    edits: [HOLDER_DOES_NOT_STOP_FIRST, { file: 'src/simulator/simulated-edges.ts', find: "if (order.proof !== 'hand-over') return write()\n", replace: 'if (order.epoch > 0) return write()\n' }],
    play: { faults: ['power-off'] }, seeds: { from: 1, count: 40 }, seen: ['S1'],
  },
  {
    // No second giver comes of it: the guard ends and bars an epoch before a hand-over or a release of it is written. With that gone as well: test/simulation/checker.test.ts.
    name: 'stop-does-nothing', rule: 'L3', what: 'a stop is confirmed and not done: machines that were loaded in vain stay',
    edits: [{ file: 'src/simulator/simulated-edges.ts', find: 'if (broken.stop_lies) return', replace: 'if (!broken.stop_lies) return' }],
    play: { count: 3 }, seeds: { from: 20, count: 40 }, seen: ['L3'],
  },
  {
    name: 'room-not-rechecked', rule: 'S4', what: 'a nominee does not look whether it has room',
    edits: [{ file: NOMINEE, find: "if (nomination.as === 'virtual' && !hasRoomHere(state, nomination.function)) return 'no room'", replace: 'void hasRoomHere' }],
    play: { story: 'little room' }, seeds: { from: 1, count: 40 }, seen: ['S4'],
  },
  {
    name: 'dead-nominee-stays', rule: 'L1', what: 'a nominee that dies, fails to answer or does not claim is not replaced',
    edits: [{ file: REHOMING, find: 'const failure = nomineeFailure(context, rehoming)\n', replace: 'const failure = [nomineeFailure(context, rehoming)].slice(1)[0]\n' }],
    play: { drawn: { hosts: [5, 12], faults: [4, 11] } }, seeds: { from: 144, count: 10 }, seen: ['L1'],
  },
  {
    name: 'no-second-manager', rule: 'L1', what: 'P2 never acts in the place of P1',
    edits: [{ file: REHOMING, find: 'return context.due(since_ms + slot_ms(state))', replace: 'return context.due(since_ms + slot_ms(state)) && false' }],
    play: { drawn: { hosts: [4, 8], faults: [2, 7] } }, seeds: { from: 15, count: 40 }, seen: ['L1'],
  },
  {
    name: 'no-host-is-the-end', rule: 'L1', what: 'a function for which there was no host is not looked after again',
    edits: [{ file: REHOMING, find: 'rehoming.retry_ms = context.now_ms + RETRY_MS', replace: 'rehoming.retry_ms = Infinity' }],
    play: { drawn: { hosts: [3, 8], faults: [2, 7] } }, seeds: { from: 60, count: 40 }, seen: ['L1'],
  },
  {
    name: 'never-returns', rule: 'L3', what: 'nobody asks for a function to come home',
    edits: [{ file: 'src/core/target-recovery.ts', find: '  decideReturns(context)\n', replace: '  if (decideReturns.length < 0) decideReturns(context)\n' }],
    play: { faults: ['power-off'] }, seeds: { from: 1, count: 10 }, seen: ['L3'],
  },
  {
    name: 'unknown-claim-waits-for-ever', rule: 'R7', what: 'a claim whose outcome is unknown is waited for without a limit',
    edits: [{ file: GIVING, find: "if (context.due(giving.deadline_ms)) enterStage(context, giving, 'prepared')\n      return", replace: 'return' }, { file: GIVING_EVENTS, find: "if (giving?.stage === 'claiming') giving.deadline_ms = context.now_ms + 2 * state.profile.renew_ms", replace: '' }],
    play: { story: 'claims are lost' }, seeds: { from: 1, count: 40 }, seen: ['L1'],
  },
  {
    name: 'roles-do-not-follow', rule: 'L2', what: 'who has become P1 or P2 of a host does not begin to watch it',
    edits: [{ file: 'src/core/watching.ts', find: 'if (watch) watch.priority = priority', replace: 'if (watch || state.was_whole) watch && (watch.priority = priority)' }],
    play: { faults: ['power-off, no wake'] }, seeds: { from: 1, count: 10 }, seen: ['L2'],
  },
  {
    name: 'nominee-cut-off-is-waited-for', rule: 'L1', what: 'a nominee that is not reachable any more is waited for',
    edits: [{ file: REHOMING, find: "if (isNomineeCutOff(context, rehoming)) return 'it is not reachable any more'", replace: 'void isNomineeCutOff(context, rehoming)' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 2_005_384, count: 10 }, seen: ['L1'],
  },
  {
    name: 'outdated-record-stays-open', rule: 'L1', what: 'the record of a repair that was broken off serves the next one, and calls its function given again',
    edits: [{ file: 'src/core/service-recovery.ts', find: '  endOutdated(context, watch)\n', replace: '  if (endOutdated.length < 0) endOutdated(context, watch)\n' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 2_010_139, count: 10 }, seen: ['L1'],
  },
  {
    name: 'unheard-leaves-it-for-ever', rule: 'L1', what: 'a host that hears nobody never gives what nobody else gives',
    edits: [{ file: 'src/core/alone.ts', find: 'if (!reached && alone.asked) return Infinity', replace: 'if (!reached) return Infinity' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 2_056_211, count: 10 }, seen: ['L1'],
  },
  {
    name: 'lone-manager-waits-for-its-nominee', rule: 'L1', what: 'a manager that reaches nobody waits for its nominee as long as a start may take',
    edits: [{ file: REHOMING, find: '  const alone = !state.order.some(isReached)\n', replace: '  const alone = !state.order.some(isReached)\n  if (alone) return false\n' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 3_173_312, count: 10 }, seen: ['L1'],
  },
  {
    name: 'returned-target-waits-for-the-rest', rule: 'L1', what: 'a target that is back is not watched as long as another function that it gave is on its way',
    edits: [{ file: 'src/core/target-recovery.ts', find: ' || isRestReleased(state, incident)', replace: ' || isRestReleased.length < 0' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 3_071_419, count: 10 }, seen: ['L1'],
  },
  {
    name: 'refused-release-waits', rule: 'L1', what: 'a release that the share refused is not ordered again for as long as one without an answer',
    edits: [{ file: GIVING_EVENTS, find: 'if (facts) facts.release_again_ms = now_ms + state.profile.renew_ms', replace: 'void facts, now_ms' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 3_087_033, count: 10 }, seen: ['L1'],
  },
  {
    name: 'incident-of-an-older-generation', rule: 'L3', what: 'an incident knows the generation of the last lease that was read, whatever its target has claimed under a newer one',
    edits: [{ file: 'src/core/incident.ts', find: ', ...claimsHeldBy(state, target).map(({ generation }) => generation))', replace: ', claimsHeldBy.length - 2)' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 3_023_161, count: 10 }, seen: ['L3'],
  },
  {
    name: 'takes-up-whatever-the-room', rule: 'S4', what: 'a manager that has stood still says that its nominee is ready, and who is handed a function takes it up whether there is room or not',
    edits: [{ file: 'src/core/leaving.ts', find: '  if (!inGoodStanding(state, context.now_ms)) return\n', replace: '  if (inGoodStanding.length < 0) return\n' }, { file: GIVING, find: "if (kind === 'virtual' && !hasRoomHere(context.state, name)) {", replace: "if (kind === 'virtual' && hasRoomHere.length < 0) {" }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 3_071_104, count: 10 }, seen: ['S4'],
  },
  {
    name: 'repair-does-not-ask-again', rule: 'L1', what: 'a repair whose last dialogue began before a ping was lost and answered again waits for that answer, which counts no more',
    edits: [{ file: 'src/core/path.ts', find: "if (watch.mode === 'service recovery' && watch.repair?.step === 'verify') watch.repair.deadline_ms = context.now_ms", replace: 'void context' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 4_241_073, count: 10 }, seen: ['L1'],
  },
  {
    name: 'who-failed-once-never-tries-again', rule: 'L1', what: 'a function whose first start failed waits for a host that starts others, however long those take, beside one that is free',
    edits: [{ file: REHOMING, find: 'tried.size > 0 && context.due(rehoming.stage_ms + LOADED_SOON_MS)', replace: 'tried.size < 0' }],
    play: { swarm: { hosts: [3, 6] } }, seeds: { from: 4_311_464, count: 10 }, seen: ['L1'],
  },
]
