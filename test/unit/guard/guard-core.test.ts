import { describe, expect, test } from 'vitest'
import { PROFILES } from '../../../src/core/profile.ts'
import type { ClaimRecord } from '../../../src/core/records.ts'
import { AGENT_LIMIT_MS, CHARGES_LIMIT, generationShown, GuardCore } from '../../../src/guard/guard-core.ts'
import type { Charge } from '../../../src/guard/guard-protocol.ts'
import { freshCore, native, OTHERS, profile, renewed, virtual } from './fresh-core.ts'

describe('R1 renewal', () => {
  test('the deadline counts from the issue, not from the acknowledgement', () => {
    const core = freshCore()
    renewed(core, 1_000, 400)
    expect(core.status(1_400)).toMatchObject({ generation: 5, sequence: 1, deadline_ms: 3_000, good: true, renew_latency_ms: 400 })
    expect(core.status(3_000).good).toBe(false)
  })

  test('one is outstanding at most, then one each interval', () => {
    const core = freshCore()
    const first = core.renew(1_000)!
    expect(core.renew(1_600)).toBeUndefined()
    core.acknowledged(first, 1_700)
    expect(core.renew(1_700)).toMatchObject({ sequence: 2 })
  })

  test('a failed one is followed by the next in its turn with a higher sequence', () => {
    const core = freshCore()
    core.failed(core.renew(1_000)!)
    expect(core.renew(1_100)).toBeUndefined()
    expect(core.renew(1_500)).toMatchObject({ sequence: 2 })
  })

  test('a late acknowledgement is worth nothing', () => {
    const core = freshCore()
    renewed(core, 1_000)
    const late = core.renew(1_500)!
    expect(core.overdue(3_000)).toMatchObject({ generation: 6 })
    expect(core.acknowledged(late, 3_001)).toBe(false)
    expect(core.status(3_001).good).toBe(false)
    const tooSlow = core.renew(3_001)!
    expect(tooSlow).toMatchObject({ generation: 6, sequence: 1 })
    expect(core.acknowledged(tooSlow, 5_001)).toBe(false)
  })

  test('the first of a generation is none when it comes D_stop after the first record, which somebody may have read since: another generation begins', () => {
    const core = freshCore()
    core.failed(core.renew(1_000)!)
    const second = core.renew(2_900)!
    expect(core.acknowledged(second, 3_000)).toBe(false)
    expect(core.status(3_000)).toMatchObject({ generation: 5, good: false })
    expect(core.overdue(3_000)).toMatchObject({ charges: [], generation: 6 })
    expect(core.overdue(3_000)).toBeUndefined()
    expect(core.renew(3_000)).toMatchObject({ generation: 6, sequence: 1 })
  })

  test('the first of a generation may come by a later record, within D_stop of the first', () => {
    const core = freshCore()
    core.failed(core.renew(1_000)!)
    expect(core.acknowledged(core.renew(2_900)!, 2_999)).toBe(true)
    expect(core.status(2_999)).toMatchObject({ generation: 5, good: true, deadline_ms: 4_900 })
  })

  test('a guard that goes on by promises alone begins another generation: the records of its forerunner may be of any age', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    core.ride(1_500, OTHERS, 1_000)
    core.ride(2_900, OTHERS, 1_900)
    expect(core.overdue(2_000)).toMatchObject({ charges: [], generation: 6 })
    const heir = GuardCore.resume(profile, core.memory(), 2_100)!
    heir.agentPresent(true, 2_100)
    expect(heir.acknowledged(heir.renew(2_500)!, 2_510)).toBe(false)
    expect(heir.overdue(2_510)).toMatchObject({ charges: [], generation: 7 })
    expect(heir.all()).toEqual([native])
    expect(heir.acknowledged(heir.renew(2_510)!, 2_520)).toBe(true)
  })

  test('being late is seen after one and a half intervals', () => {
    const core = freshCore()
    expect(core.late(5_000)).toBe(false)
    renewed(core, 1_000)
    expect(core.late(1_750)).toBe(false)
    expect(core.late(1_751)).toBe(true)
  })
})

describe('R2 stop', () => {
  test('at the deadline everything stops and the generation grows', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 500, 20)
    core.arm(virtual, 5, 500, 20)
    expect(core.overdue(1_999)).toBeUndefined()
    expect(core.overdue(2_000)).toMatchObject({ charges: [native, virtual], generation: 6 })
    expect(core.status(2_000)).toMatchObject({ generation: 6, sequence: 0, good: false, charges: [] })
    expect(core.overdue(9_000)).toBeUndefined()
  })

  test('the lifetime an address may get ends before D_gone, whatever the acknowledgement took', () => {
    const core = freshCore()
    renewed(core, 10_000)
    core.arm(native, 5, 0, 10_010)
    for (let now_ms = 10_010; now_ms < 12_000; now_ms += 7) {
      const life_s = core.lifetime_s(native, now_ms)
      expect(now_ms + life_s * 1_000 + 300).toBeLessThanOrEqual(10_000 + profile.gone_ms)
    }
    expect(core.lifetime_s(native, 10_010)).toBe(2)
    expect(core.lifetime_s(native, 10_501)).toBe(1)
    expect(core.lifetime_s(native, 11_501)).toBe(0)
    expect(core.goneBy_ms(native)).toBe(12_800)
  })

  test('fast has no whole second to give', () => {
    const core = new GuardCore(PROFILES.fast, 1, 0)
    core.goBeyond(0)
    core.agentPresent(true, 0)
    renewed(core, 0)
    expect(core.lifetime_s(native, 10)).toBe(0)
    expect(core.goneBy_ms(native)).toBe(850)
  })
})

describe('the life of an address', () => {
  test('is told to the kernel again each interval: whole seconds may end before lease or ride do', () => {
    const core = freshCore()
    renewed(core, 0)
    expect(core.extensionDue(600)).toBe(false)
    core.arm(native, 5, 0, 600)
    core.extended(600)
    expect(core.extensionDue(600 + profile.renew_ms - 1)).toBe(false)
    expect(core.extensionDue(600 + profile.renew_ms)).toBe(true)
    // Of 2.8 s a bit more than one is left: told again it lives to the end of the second second, instead of to that of the first.
    expect(core.lifetime_s(native, 600 + profile.renew_ms)).toBe(1)
    core.leave(1_100)
    expect(core.extensionDue(5_000)).toBe(false)
  })
})

describe('charges', () => {
  test.each<[string, Charge, number, number, number, RegExp]>([
    ['before the first lease', native, 5, 0, 0, /not good/],
    ['with too little left', native, 5, 1_901, 200, /not good for 1901 ms/],
    ['under another generation', native, 4, 0, 200, /generation 4 is over/],
    ['under a barred epoch', { ...native, epoch: 2 }, 5, 0, 200, /barred/],
    ['under an older epoch', { ...virtual, epoch: 6 }, 5, 0, 200, /newer epoch 7/],
  ])('are refused %s', (_, charge, generation, margin_ms, now_ms, why) => {
    const core = freshCore()
    if (now_ms > 0) {
      renewed(core, 100)
      core.bar('ftp', 2)
      core.arm(virtual, 5, 0, 150)
    }
    expect(core.arm(charge, generation, margin_ms, now_ms)).toMatch(why)
  })

  test('bar ends the barred epoch and older ones only, and never forgets', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    expect(core.bar('ftp', 2)).toBeUndefined()
    expect(core.bar('ftp', 3)).toEqual(native)
    expect(core.bar('ftp', 1)).toBeUndefined()
    expect(core.arm(native, 5, 0, 30)).toMatch(/barred/)
    expect(core.arm({ ...native, epoch: 4 }, 5, 0, 30)).toBeUndefined()
  })

  test('disarm is idempotent; their number is limited', () => {
    const core = freshCore()
    renewed(core, 0)
    for (let n = 0; n < CHARGES_LIMIT; n++) expect(core.arm({ ...native, function: `f${n}` }, 5, 0, 20)).toBeUndefined()
    expect(core.arm(native, 5, 0, 20)).toMatch(/in charge already/)
    expect(core.disarm('f0')).toBeDefined()
    expect(core.disarm('f0')).toBeUndefined()
    expect(core.arm(native, 5, 0, 20)).toBeUndefined()
  })
})

describe('a killed guard and a lost agent', () => {
  test('the next guard goes on within the lease, with a sequence nobody has used', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    core.bar('web1', 9)
    const issued = core.renew(500)!
    const next = GuardCore.resume(profile, core.memory(), 900)!
    next.agentPresent(true, 900)
    expect(next.status(900)).toMatchObject({ generation: 5, deadline_ms: 2_000, good: true, charges: [native], barred: { web1: 9 } })
    expect(next.renew(900)!.sequence).toBeGreaterThan(issued.sequence)
    expect(GuardCore.resume(profile, core.memory(), 2_000)).toBeUndefined()
  })

  test('a riding guard that was killed goes on riding and stops what is virtual', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    core.arm(virtual, 5, 0, 20)
    core.ride(2_900, OTHERS, 1_500)
    const next = GuardCore.resume(profile, core.memory(), 2_100)!
    expect(next.overdue(2_100)).toMatchObject({ charges: [virtual], generation: 6 })
    expect(next.overdue(2_900)).toMatchObject({ charges: [native] })
  })

  test('without an agent everything goes on for a minute, then stops and is not renewed', () => {
    const core = freshCore()
    let now_ms = 0
    renewed(core, now_ms)
    core.arm(native, 5, 0, 20)
    core.agentPresent(false, 500)
    for (now_ms = 500; now_ms < 500 + AGENT_LIMIT_MS; now_ms += 500) {
      expect(core.overdue(now_ms)).toBeUndefined()
      renewed(core, now_ms)
    }
    expect(core.overdue(now_ms)).toMatchObject({ charges: [native], generation: 6 })
    expect(core.renew(now_ms + 1_000)).toBeUndefined()
    expect(core.overdue(now_ms + 1_000)).toBeUndefined()
    core.agentPresent(true, now_ms + 2_000)
    expect(core.renew(now_ms + 2_000)).toMatchObject({ generation: 6, sequence: 1 })
  })

  test('a guard that leaves stops nothing by time and takes nothing on', () => {
    const core = freshCore()
    renewed(core, 0)
    core.arm(native, 5, 0, 20)
    expect(core.leave(100)).toMatchObject({ generation: 5, sequence: 2 })
    expect(core.overdue(90_000)).toBeUndefined()
    expect(core.renew(5_000)).toBeUndefined()
    expect(core.arm({ ...native, epoch: 9 }, 5, 0, 120)).toMatch(/leaving/)
  })

  test('nothing is renewed, and no last word written, before the share has said which generations were used', () => {
    const core = new GuardCore(profile, 5, 0)
    core.agentPresent(true, 0)
    core.electorateIs(OTHERS, 0)
    expect(core.renew(100)).toBeUndefined()
    expect(core.overdue(5_000)).toBeUndefined()
    core.goBeyond(4)
    expect(core.renew(5_000)).toMatchObject({ generation: 5, sequence: 1 })
    expect(new GuardCore(profile, 5, 0).leave(100)).toBeUndefined()
  })

  test('a disk that is older than the share begins beyond what may still arrive there', () => {
    const core = new GuardCore(profile, 5, 0)
    core.goBeyond(5)
    const begun = core.present_generation
    // The lease of generation 5 was lost while the share hung; what was issued under 6 comes late.
    expect(begun).toBeGreaterThan(6)
    core.goBeyond(90)
    expect(core.present_generation).toBe(begun)
  })

  test('a guard that goes on need not ask again', () => {
    const core = freshCore()
    renewed(core, 0)
    const next = GuardCore.resume(profile, core.memory(), 900)!
    next.agentPresent(true, 900)
    expect(next.renew(1_000)).toMatchObject({ generation: 5 })
  })

  test('a claim tells of a generation whose lease can no longer be read', () => {
    const claim = (name: string, holder: string, generation: number): { claim: ClaimRecord } =>
      ({ claim: { schema: 'ringward.claim/1', function: name, epoch: 1, holder, generation, kind: 'native', proof: 'first', by: holder, nonce: name } })
    const claims = [claim('ftp', 'ftp', 7), claim('web1', 'web1', 9)]
    expect(generationShown('ftp', { leases: [], claims })).toBe(7)
    expect(generationShown('ftp', { leases: [{ schema: 'ringward.lease/1', host: 'ftp', generation: 8, sequence: 1, standing: 'member', boot_id: '' }], claims })).toBe(8)
    expect(generationShown('login', { leases: [], claims })).toBe(0)
  })
})
