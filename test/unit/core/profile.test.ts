import { describe, expect, it } from 'vitest'
import { brokenConstraints, CLOCK_RATE_ERROR, PROFILES, promiseGiven_ms, type Profile } from '../../../src/core/profile.ts'

/** A share write of this length is what the shipped profiles are made for. */
const WRITE_MS = 50
const changed = (fields: Partial<Profile>): string[] => brokenConstraints({ ...PROFILES.default, ...fields }, WRITE_MS)

describe('the profiles', () => {
  it.each(Object.values(PROFILES))('$name is sound', profile => {
    expect(brokenConstraints(profile, WRITE_MS)).toEqual([])
  })

  it('are those of the protocol', () => {
    expect(PROFILES.default).toMatchObject({ interval_ms: 1_000, renew_ms: 500, stop_ms: 2_000, gone_ms: 2_800, expire_ms: 3_100, promise_ms: 1_500 })
    expect(PROFILES.careful).toMatchObject({ interval_ms: 10_000, renew_ms: 2_000, stop_ms: 8_000, gone_ms: 12_000, expire_ms: 15_000, promise_ms: 6_000 })
    expect(PROFILES.fast).toMatchObject({ interval_ms: 200, renew_ms: 150, stop_ms: 700, gone_ms: 850, expire_ms: 1_000, promise_ms: 500 })
  })

  it('keep a promise beyond what its receiver counts on, whatever the clocks\' rates', () => {
    for (const profile of Object.values(PROFILES)) {
      const kept_ms = promiseGiven_ms(profile) * (1 - CLOCK_RATE_ERROR)
      expect(kept_ms).toBeGreaterThanOrEqual(profile.promise_ms + profile.gone_ms - profile.stop_ms)
    }
  })
})

describe('a profile is refused', () => {
  it('when three renewals do not fit before the stop', () => {
    expect(changed({ renew_ms: 700 })).toEqual([expect.stringContaining('exceeds stop 2000 ms')])
    expect(brokenConstraints(PROFILES.default, 170)).toEqual([expect.stringContaining('share write 170 ms')])
  })

  it('when the stop is not before the end', () => {
    expect(changed({ stop_ms: 2_800 })).toEqual([expect.stringContaining('not below gone')])
  })

  it('when the expiry is not beyond the end by the clock rate error and 50 ms', () => {
    expect(changed({ expire_ms: 2_861 })).toEqual([expect.stringContaining('not beyond gone')])
    expect(changed({ expire_ms: 2_862 })).toEqual([])
  })

  it('when a promise outlives the expiry', () => {
    expect(changed({ promise_ms: 2_400 })).toEqual([expect.stringContaining('outlives expire')])
  })

  it('with every reason at once', () => {
    expect(changed({ renew_ms: 2_000, stop_ms: 3_000, expire_ms: 1_000 })).toHaveLength(4)
  })
})
