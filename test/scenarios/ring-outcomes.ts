/** Outcomes of the ring's patterns: the worked cases of the thesis (5.3.4, fig. 5.10 and 5.11) on a ring S1..S6, P1's death at each stage, twelve hosts. */
import type { Outcome } from './outcomes.ts'

const TAKEN_OVER = 'another, virtual, silence'
const RETURNED = 'itself, native, hand-over'
/** D_exp 3.1 s with clock rates, a read, two writes, a resume, and the samples (protocol 3). */
const TAKEOVER_MS = 4_000
/** A pair of starts that waits for another one on the same host: load, resume, a word to the manager and back. */
const PAIR_MS = 1_200

const once = [TAKEN_OVER, RETURNED]
const eachOnce = (...names: string[]): Record<string, readonly string[]> => Object.fromEntries(names.map(name => [name, once]))
const cut = (limit_ms: number, ...names: string[]): Record<string, number> => Object.fromEntries(names.map(name => [name, limit_ms]))
const home = (manager: string, ...names: string[]): string[] => names.map(name => `${name}: Nt2 returned, by ${manager}`)
const P1_DIED: Outcome = { claims: eachOnce('s1', 's2'), incidents: home('s6', 's1', 's2'), cut_at_most_ms: cut(TAKEOVER_MS, 's1', 's2') }
const ELEVEN = ['s1', 's2', 's3', 's4', 's5', 's6', 's8', 's9', 's10', 's11', 's12']

export const RING_OUTCOMES: Readonly<Record<string, Outcome>> = {
  'ring-a': {
    claims: eachOnce('s2'), incidents: home('s1', 's2'), cut_at_most_ms: cut(TAKEOVER_MS, 's2'),
    said: ['s1 Start_of_management_of_s3_(priority_1)', 's3 Start_of_management_of_s1_(priority_2)', 's1 End_of_management_of_s3', 's3 End_of_management_of_s1'], never: ['s6 End_of_management', 's6 Start_of_management'],
  },
  'ring-b': {
    claims: eachOnce('s2', 's3'), incidents: home('s1', 's2', 's3'), cut_at_most_ms: cut(TAKEOVER_MS, 's2', 's3'),
    said: ['s1 Start_of_management_of_s4_(priority_1)', 's4 Start_of_management_of_s1_(priority_2)', 's1 End_of_management_of_s4', 's4 End_of_management_of_s1'],
  },
  'ring-c': {
    claims: eachOnce('s2', 's3', 's4'), incidents: home('s1', 's2', 's3', 's4'), cut_at_most_ms: cut(TAKEOVER_MS, 's2', 's3', 's4'),
    said: ['s1 Start_of_management_of_s5_(priority_1)', 's5 Start_of_management_of_s1_(priority_2)', 's1 End_of_management_of_s5', 's5 End_of_management_of_s1'],
  },
  'ring-d': {
    claims: { s1: once, s2: [TAKEN_OVER, TAKEN_OVER, RETURNED] }, incidents: ['s1: Nt2 returned, by s6', 's2: Nt2 returned, by s1', 's2: Nt2 returned, by s6'], cut_at_most_ms: cut(TAKEOVER_MS, 's1', 's2'),
    said: ['s1 Function_of_s2_is_given_again_by_s1', 's6 Function_of_s1_is_given_again', 's6 Function_of_s2_is_given_again'],
  },
  'ring-two-apart': { claims: eachOnce('s2', 's5'), incidents: [...home('s1', 's2'), ...home('s4', 's5')], cut_at_most_ms: cut(TAKEOVER_MS, 's2', 's5') },
  'ring-every-second': { claims: eachOnce('s2', 's4', 's6'), incidents: [...home('s1', 's2'), ...home('s3', 's4'), ...home('s5', 's6')], cut_at_most_ms: cut(TAKEOVER_MS, 's2', 's4', 's6') },
  'ring-half': { claims: eachOnce('s1', 's2', 's6'), incidents: home('s5', 's1', 's2', 's6'), cut_at_most_ms: cut(TAKEOVER_MS, 's1', 's2', 's6') },
  'ring-five-of-six': {
    claims: eachOnce('s1', 's2', 's3', 's5', 's6'), incidents: home('s4', 's1', 's2', 's3', 's5', 's6'), cut_at_most_ms: cut(TAKEOVER_MS + 2 * PAIR_MS, 's1', 's2', 's3', 's5', 's6'),
    said: ['s4 Function_of_s1_is_given_again_by_s4', 's4 Function_of_s6_is_given_again_by_s4'],
  },
  // S2 comes back between S1 and S4, S3 being down still: the watches across both end; S1's recovery of S3 does not.
  'partial-return': {
    claims: eachOnce('s2', 's3'), incidents: [...home('s1', 's2', 's3'), ...home('s2', 's3')], cut_at_most_ms: cut(TAKEOVER_MS, 's2', 's3'),
    said: ['s2 Start_of_management_of_s4_(priority_1)', 's1 End_of_management_of_s4', 's4 End_of_management_of_s1', 's1 End_of_incident_(s3)'],
  },
  // Two takeovers of S2's function, both before S1 is back: its return moves nothing but its own.
  'host-of-virtual-server-returns': {
    claims: { s1: once, s2: [TAKEN_OVER, TAKEN_OVER, RETURNED] }, incidents: ['s1: Nt1 returned, by s6', 's2: Nt2 returned, by s1', 's2: Nt2 returned, by s6'], cut_at_most_ms: cut(TAKEOVER_MS, 's1', 's2'),
    said: ['s6 Function_of_s2_is_given_again_by_s4'],
  },
  'P1-dies-before-claim': P1_DIED,
  'P1-dies-after-claim': P1_DIED,
  'P1-dies-server-started': P1_DIED,
  'P1-dies-VIP-moved': P1_DIED,
  'P1-dies-target-returning': { ...P1_DIED, incidents: home('s6', 's1') },
  'return-fails-half-way': { claims: { s2: [...once, ...once] }, incidents: home('s1', 's2'), cut_at_most_ms: cut(TAKEOVER_MS, 's2') },
  'holder-dies-in-the-return': { claims: { s2: [TAKEN_OVER, 'itself, native, silence'], s4: once }, incidents: [...home('s1', 's2'), ...home('s3', 's4')], cut_at_most_ms: cut(TAKEOVER_MS, 's2', 's4') },
  'target-returns-before-claim': { claims: { s2: ['itself, native, own-past'] }, incidents: ['s2: host returned, by s1'], cut_at_most_ms: cut(TAKEOVER_MS, 's2'), never: ['s5 Start_of_virtual_server'] },
  'target-returns-after-claim': { claims: eachOnce('s2'), incidents: ['s2: Nt1 returned, by s1'], cut_at_most_ms: cut(TAKEOVER_MS, 's2') },
  'twelve-hosts': { claims: eachOnce('s1', 's4', 's5', 's9'), incidents: [...home('s12', 's1'), ...home('s3', 's4', 's5'), ...home('s8', 's9')], cut_at_most_ms: cut(TAKEOVER_MS, 's1', 's4', 's5', 's9') },
  'twelve-hosts-one-left': { claims: eachOnce(...ELEVEN), incidents: home('s7', ...ELEVEN).sort(), cut_at_most_ms: cut(TAKEOVER_MS + 5 * PAIR_MS, ...ELEVEN), said: ['s7 Function_of_s12_is_given_again_by_s7'] },
}
