import { describe, expect, test } from 'vitest'
import { GuardCore } from '../../../src/guard/guard-core.ts'
import { freshCore, native, OTHERS, profile, renewed, virtual } from './fresh-core.ts'

describe('R8 ride', () => {
  test('native functions outlive the deadline while promises last, virtual ones do not', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    core.arm(virtual, 5, 0, 20)
    core.ride(3_000, OTHERS, 1_500)
    expect(core.overdue(2_000)).toMatchObject({ charges: [virtual], generation: 6 })
    core.ride(4_000, OTHERS, 2_500)
    expect(core.goneBy_ms(native)).toBe(4_800)
    expect(core.overdue(3_999)).toBeUndefined()
    expect(core.overdue(4_000)).toMatchObject({ charges: [native], generation: 7 })
  })

  test('a lease that comes back ends the ride without a stop', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    core.ride(3_000, OTHERS, 1_500)
    core.overdue(2_000)
    renewed(core, 2_500)
    expect(core.overdue(3_500)).toBeUndefined()
    expect(core.status(3_500)).toMatchObject({ generation: 6, good: true, charges: [native] })
    expect(core.overdue(4_500)).toMatchObject({ charges: [native] })
  })

  test('a ride is never longer than a promise', () => {
    const core = freshCore()
    renewed(core, 0)
    core.ride(1_000_000, OTHERS, 100)
    expect(core.status(100).ride_until_ms).toBe(100 + profile.promise_ms)
    core.ride(50, OTHERS, 200)
    expect(core.status(200).ride_until_ms).toBe(100 + profile.promise_ms)
  })
})

describe('R9 electorate', () => {
  test('stands in each record, and without one acknowledged nothing rides', () => {
    const core = freshCore()
    expect(core.ride(3_000, OTHERS, 10)).toMatch(/no lease record says yet/)
    expect(renewed(core, 0).electorate).toEqual(OTHERS)
    expect(core.ride(3_000, OTHERS, 1_500)).toBeUndefined()
  })

  test('a record that lists just whom the agent asks follows at once: a share that hangs within a renewal of a change ends no service', () => {
    const core = new GuardCore(profile, 5, 0)
    core.goBeyond(0)
    core.agentPresent(true, 0)
    renewed(core, 0)
    expect(core.renew(80)).toBeUndefined()
    core.electorateIs(OTHERS, 80)
    expect(renewed(core, 80).electorate).toEqual(OTHERS)
    expect(core.ride(3_000, OTHERS, 1_500)).toBeUndefined()
    core.electorateIs([...OTHERS].reverse(), 90)
    expect(core.renew(90)).toBeUndefined()
    core.electorateIs(['login'], 100)
    expect(renewed(core, 100).electorate).toEqual(['login'])
    expect(core.ride(3_000, ['login'], 1_500)).toBeUndefined()
  })

  test('who joins is asked from the issue of the record that lists it, acknowledged or not', () => {
    const core = freshCore()
    renewed(core, 0)
    core.electorateIs([...OTHERS, 'dns'], 10)
    expect(core.ride(3_000, OTHERS, 400)).toBeUndefined()
    core.failed(core.renew(500)!)
    expect(core.status(600).electorate).toEqual([...OTHERS, 'dns'])
    expect(core.ride(3_000, OTHERS, 1_500)).toMatch(/dns may still claim/)
    expect(core.ride(3_000, [...OTHERS, 'dns'], 1_500)).toBeUndefined()
  })

  test('who is taken out is asked until a shorter record has been acknowledged, also by the next guard', () => {
    const core = freshCore()
    renewed(core, 0)
    core.electorateIs(['login'], 10)
    core.failed(core.renew(500)!)
    expect(core.ride(3_000, ['login'], 600)).toMatch(/web1 may still claim/)
    const next = GuardCore.resume(profile, core.memory(), 900)!
    next.agentPresent(true, 900)
    expect(next.ride(3_000, ['login'], 900)).toMatch(/web1 may still claim/)
    expect(renewed(next, 1_000).electorate).toEqual(['login'])
    expect(next.ride(3_000, ['login'], 1_600)).toBeUndefined()
  })

  test('a ride may miss as many as the records that may stand all allow', () => {
    const core = freshCore()
    renewed(core, 0)
    core.electorateIs(OTHERS, 10, 1)
    const some = OTHERS.slice(1)
    const renewal = core.renew(500)!
    expect(renewal).toMatchObject({ electorate: OTHERS, may_miss: 1 })
    // The record that asks for all may stand still.
    expect(core.ride(3_000, some, 600)).toMatch(/may still claim/)
    core.acknowledged(renewal, 700)
    expect(core.status(700)).toMatchObject({ electorate: OTHERS, may_miss: 1 })
    expect(core.ride(3_000, some, 700)).toBeUndefined()
    expect(core.ride(3_000, some.slice(1), 700)).toMatch(/may still claim/)
    const next = GuardCore.resume(profile, core.memory(), 900)!
    expect(next.ride(3_000, some, 900)).toBeUndefined()
    next.agentPresent(true, 900)
    next.electorateIs(OTHERS, 900)
    next.failed(next.renew(1_000)!)
    expect(next.ride(3_000, some, 1_100)).toMatch(/may still claim/)
  })

  test('a lost lease leaves its record on the share, with those it lists', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    core.ride(3_000, OTHERS, 1_500)
    core.electorateIs(['login'], 1_500)
    core.overdue(2_000)
    expect(core.ride(3_500, ['login'], 2_100)).toMatch(/web1 may still claim/)
  })
})
