/**
 * The bounds of L1 and L2 (protocol 3), term by term. What a real host takes for its own work stands here as the simulated parts take
 * it (simulated-edges.ts, simulated-share.ts, world.ts); everything else is a constant of the protocol or of the core.
 */
import { hold_ms } from '../core/alone.ts'
import { ASK_AGAIN_MS } from '../core/consent.ts'
import { CLOCK_RATE_ERROR, promiseGiven_ms, type Profile } from '../core/profile.ts'
import { VOICE_LIMIT_MS } from './simulated-guard-client.ts'

/** A read or a write of the shared area: the way there and back at most. */
export const SHARE_OPERATION_MS = 20
/** A nominee that waits for proof looks at the share this often at least (giving.ts), and the answer comes a read later. */
const LOOK_MS = 20 + SHARE_OPERATION_MS
/** Loading a virtual server, paused; and letting it run with its VIP: T_resume. */
export const PREPARE_MS = 900
const RESUME_MS = 250
/** TCP sends a lost packet again (world.ts): one of the messages on the way to the claim may be lost. */
const RESENT_MS = 900
const MESSAGE_MS = 6
/** P2's slot (rehoming.ts): an interval, a second at least. */
const SLOT_LEAST_MS = 1_000
/** A remote hand's work. */
const HAND_MS = 400
/** A hand that does not answer is given up after 10 s for the restart and 3 s for the release (service-recovery.ts); the target stops by itself. */
const HAND_LIMITS_MS = 13_000
const STOP_MS = 60
/** A dialogue that is not answered. */
const DIALOGUE_MS = 1_000
/** A question, its answer, and the read that is issued after it, when one is under way. */
const CONSENTS_MS = ASK_AGAIN_MS + Math.max(2 * MESSAGE_MS, 2 * LOOK_MS)
/** The functions are looked at this often. */
export const SAMPLE_MS = 50

export interface BoundTerms {
  /** The holder lives and its service is bad: repair, or release by the remote hand. Else its lease has to run out. */
  readonly cause: 'lease' | 'service'
  /** Starts on one host that have to wait for others: two at a time (nominee.ts). */
  readonly waiting_pairs: number
  /** P1 could not act: P2 acts a slot after the proof. */
  readonly slot: boolean
  /** Present hosts on which no virtual server starts. */
  readonly failing_hosts: number
  readonly messages_lost: boolean
  /** No remote hand reaches the target: its time limits pass, then the target itself is asked to yield. */
  readonly handless: boolean
  /** Others have to consent (R8 by majority). */
  readonly consents: boolean
  /** Each host that could give it hears no other agent, and leaves it to others for a while. */
  readonly unheard: boolean
}

export function functionBound_ms(profile: Profile, interval_ms: number, terms: BoundTerms): number {
  const { cause, waiting_pairs, slot, failing_hosts, messages_lost, handless, consents, unheard } = terms
  const base_ms = cause === 'lease' ? leaseBound_ms(profile) + (consents ? CONSENTS_MS : 0) : serviceBound_ms(interval_ms)
  // What P2 nominates when proof stands already is not loaded beside the wait any more.
  const slot_ms = slot ? Math.max(interval_ms, SLOT_LEAST_MS) + PREPARE_MS : 0
  // The first pair loads beside the wait for proof; each further one takes its whole start, and a word to the manager and back.
  const queue_ms = waiting_pairs * (PREPARE_MS + RESUME_MS + 4 * MESSAGE_MS)
  const hand_ms = handless && cause === 'service' ? HAND_LIMITS_MS + STOP_MS + profile.renew_ms : 0
  return base_ms + slot_ms + queue_ms + hand_ms + failing_hosts * (PREPARE_MS + 2 * MESSAGE_MS) + (messages_lost ? RESENT_MS : 0) + (unheard ? hold_ms(interval_ms) : 0) + SAMPLE_MS
}

/** The last renewal is seen one observation later at most (R3), has then to be silent for D_exp by any clock, is read once more, claimed, and the machine runs. */
function leaseBound_ms({ renew_ms, expire_ms }: Profile): number {
  const written_and_seen_ms = SHARE_OPERATION_MS + renew_ms + SHARE_OPERATION_MS
  return written_and_seen_ms + expire_ms * (1 + CLOCK_RATE_ERROR) + LOOK_MS + SHARE_OPERATION_MS + RESUME_MS
}

/** The next round, a dialogue and its confirmation, restart, verification, release by the hand, its record; then as above without a wait. */
function serviceBound_ms(interval_ms: number): number {
  const detected_ms = interval_ms + 2 * DIALOGUE_MS
  return detected_ms + HAND_MS + DIALOGUE_MS + Math.max(HAND_MS + 2 * SHARE_OPERATION_MS, PREPARE_MS + MESSAGE_MS) + LOOK_MS + SHARE_OPERATION_MS + RESUME_MS
}

/** Promises stand so long after the function has ended that they were asked for: an order to a guard that does not answer is waited for (guard-voice.ts), then nobody is asked again. */
export function promisesOutlive_ms(profile: Profile): number {
  return VOICE_LIMIT_MS + promiseGiven_ms(profile) + RESENT_MS + SAMPLE_MS
}

/** L2: a lost manager is known when its lease has been silent for D_stop, one observation late; then two intervals. */
export function watchBound_ms({ stop_ms, renew_ms }: Profile, interval_ms: number): number {
  return 2 * SHARE_OPERATION_MS + renew_ms + stop_ms + LOOK_MS + 2 * interval_ms + SAMPLE_MS
}

/**
 * What is promised without a bound (L1): while one of these lasts the clock stands at zero. Safety (S1–S7) is checked all the same, and
 * policy afterwards (L3). Nothing else excuses a late function.
 */
export const UNBOUNDED = {
  share: 'the shared area did not answer all hosts in time',
  hold: 'the operator held the ring',
  network: 'the network lost, delayed or doubled messages beyond the twentieth that the bound counts with',
  late_start: 'a host loaded its virtual server late',
  queue: 'starts that loaded late, or stood ready and waited for proofs of their own kept every host from starting it',
  hand: 'no remote hand reached it, or one did half its work, or none was sent, for it leaves; and its program or that of its P1 was too old to be asked, or to ask, instead',
  holder: 'its holder was present by the share\'s word and could do nothing: frozen, or told of its renewals too late',
  managers: 'one of its managers was overloaded, or did not reach every host',
  workers: 'who worked on it was overloaded, or the shared area did not answer it in time',
} as const
