import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stampOf } from '../../../src/core/stamp.ts'

/** What Date makes of it. */
const expected = (wall_ms: number): string => new Date(wall_ms).toISOString().replaceAll(/[-:.]/g, '')

describe('stampOf', () => {
  it.each([0, 951_782_399_999, 951_782_400_000, 4_107_542_399_999, 4_107_542_400_000, 1_795_208_628_123])('knows leap years and century years: %i', wall_ms => {
    expect(stampOf(wall_ms)).toBe(expected(wall_ms))
  })

  it('agrees with Date for every moment of years 1 to 9999', () => {
    const [first, last] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]
    fc.assert(fc.property(fc.integer({ min: first, max: last }), wall_ms => stampOf(wall_ms) === expected(wall_ms)), { numRuns: 2_000 })
  })

  it('takes fractions of a millisecond for the millisecond they lie in', () => {
    expect(stampOf(1_795_208_628_123.9)).toBe(expected(1_795_208_628_123))
  })

  it('sorts by time', () => {
    const moment = fc.integer({ min: 0, max: 4e12 })
    fc.assert(fc.property(moment, moment, (a, b) => a === b || (a < b) === (stampOf(a) < stampOf(b))))
  })
})
