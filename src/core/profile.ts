import type { ProfileName } from './inventory.ts'

/** Timings of the kernel (protocol 3). All durations are by a monotonic clock that counts suspend. */
export interface Profile {
  readonly name: ProfileName
  /** Default monitoring interval T_im. */
  readonly interval_ms: number
  /** Renewal r. */
  readonly renew_ms: number
  /** From the issue of the last good renewal until the host must have begun to stop. */
  readonly stop_ms: number
  /** ... until it is gone whatever software does. */
  readonly gone_ms: number
  /** Silence after which an observer may claim. */
  readonly expire_ms: number
  /** Life of a promise as its receiver counts it. */
  readonly promise_ms: number
}

/** Clock rates of two hosts differ by at most this (protocol 3, constraint on D_exp). */
export const CLOCK_RATE_ERROR = 0.002

export const PROFILES: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  careful: { name: 'careful', interval_ms: 10_000, renew_ms: 2_000, stop_ms: 8_000, gone_ms: 12_000, expire_ms: 15_000, promise_ms: 6_000 },
  default: { name: 'default', interval_ms: 1_000, renew_ms: 500, stop_ms: 2_000, gone_ms: 2_800, expire_ms: 3_100, promise_ms: 1_500 },
  fast: { name: 'fast', interval_ms: 200, renew_ms: 150, stop_ms: 700, gone_ms: 850, expire_ms: 1_000, promise_ms: 500 },
})

/**
 * The constraints of protocol 3 that a profile breaks, as sentences; empty when it is sound.
 * `share_write_ms` is the measured 99.99th percentile of a share write.
 */
export function brokenConstraints(profile: Profile, share_write_ms: number): string[] {
  const broken: string[] = []
  const { renew_ms, stop_ms, gone_ms, expire_ms } = profile
  if (3 * (renew_ms + share_write_ms) > stop_ms) {
    broken.push(`3 × (renew ${renew_ms} ms + share write ${share_write_ms} ms) exceeds stop ${stop_ms} ms`)
  }
  if (stop_ms >= gone_ms) broken.push(`stop ${stop_ms} ms is not below gone ${gone_ms} ms`)
  if (expire_ms * (1 - CLOCK_RATE_ERROR) <= gone_ms * (1 + CLOCK_RATE_ERROR) + 50) {
    broken.push(`expire ${expire_ms} ms is not beyond gone ${gone_ms} ms by the clock rate error and 50 ms`)
  }
  if (promiseGiven_ms(profile) > expire_ms) {
    broken.push(`a promise of ${promiseGiven_ms(profile)} ms outlives expire ${expire_ms} ms`)
  }
  return broken
}

/** How long the giver of a promise keeps it: D_promise + D_gone − D_stop, stretched by the clock rate error (C4). */
export function promiseGiven_ms(profile: Profile): number {
  return Math.ceil((profile.promise_ms + profile.gone_ms - profile.stop_ms) * (1 + 2 * CLOCK_RATE_ERROR))
}
