/** Coarse time: everything that takes time takes whole ticks, and between two ticks anything may happen in any order. */
import type { RidePolicy } from '../../core/inventory.ts'
import type { Profile } from '../../core/profile.ts'

/** A tick is as long as one renewal; the core's fixed limits (5 s and more) are then five ticks and more. */
export const TICK_MS = 1_000

/** All times of a host are kept relative to this moment, so that states that differ in nothing but the hour are one. */
export const NOW_MS = 1_000_000

/**
 * In ticks. One tick between D_gone and D_exp is the least the constraints of protocol 3 allow. R8 asks at 1.5 r, an answer takes a tick, and the guard looks before
 * it arrives: with a shorter D_stop no promise would come in time, and with a shorter D_promise none would last until the next.
 */
export interface CoarseTimes {
  readonly stop: number
  readonly gone: number
  readonly expire: number
  readonly promise: number
}

export const COARSE_TIMES: CoarseTimes = { stop: 4, gone: 5, expire: 6, promise: 3 }

/** Of the promise's length, so that its stretch by the clock rate error (`promiseGiven_ms`) ends on a tick and hides nothing. */
const PROMISE_SHORTER_MS = 16

export function coarseProfile({ stop, gone, expire, promise }: CoarseTimes): Profile {
  return {
    name: 'default', interval_ms: TICK_MS, renew_ms: TICK_MS, stop_ms: stop * TICK_MS, gone_ms: gone * TICK_MS, expire_ms: expire * TICK_MS,
    promise_ms: promise * TICK_MS - PROMISE_SHORTER_MS,
  }
}

/** A consent counts for so long from its question on, and whoever gives it looks back no further (consent.ts sets no such limit): else there would be no end of states. */
export const CONSENT_MS = 3 * TICK_MS

/** Where the search ends; within it everything that can be reached is reached. */
export interface Bounds {
  readonly hosts: number
  /** Functions whose rules are played, the first hosts' own; the others are given elsewhere for good. */
  readonly functions: number
  /** Claims of one function. */
  readonly epochs: number
  /** Generations of one host: lost leases and starts. */
  readonly generations: number
  /** Faults that begin; how long each lasts is not bounded. */
  readonly faults: number
  /** Names of the faults that begin (`MODES`, `MISHAPS`, `OUTAGE` in turns.ts), of one host only where it is named (`faultOf`); absent: all of them. */
  readonly only?: readonly string[]
  /** R8: whose promises carry a ride; absent: all. */
  readonly ride?: RidePolicy
  /** Managers may ask a holder to hand a function back to its own server. */
  readonly hand_overs: boolean
}
