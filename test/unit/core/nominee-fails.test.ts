import { describe, expect, it } from 'vitest'
import type { Harness } from './harness.ts'
import { lostFtp, nominees, progress } from './lost-ftp.ts'

/** web1 loads still when ftp is back and good, and passed over for it. */
function homeBeforeNominee(): Harness {
  const harness = lostFtp()
  harness.addRelease('ftp', 1, 'power', 'login')
  progress(harness, 'web1', 'preparing')
  harness.comeBack('ftp')
  harness.runUntil(() => nominees(harness).length > 1, 5_000)
  return harness
}

describe('a nominee that cannot', () => {
  it.each(['declined', 'failed'] as const)('%s: the next best is nominated, the first not asked again', stage => {
    const harness = lostFtp()
    progress(harness, 'web1', stage, 'no room')
    expect(nominees(harness)).toEqual(['web1', 'web2'])
    expect(harness.said('web1_cannot_give_ftp: no room')).toBe(true)
    harness.run(100)
    expect(harness.asked('incident').at(-1)!.entry.candidates!.find(({ host }) => host === 'web1')).toMatchObject({ value: null, reason: 'tried already' })
  })

  it('does not answer: it is passed over, and told so', () => {
    const harness = lostFtp()
    harness.run(1_600)
    expect(nominees(harness)).toEqual(['web1', 'web2'])
    expect(harness.said('Nominee_web1_for_ftp_is_passed_over: it does not answer')).toBe(true)
    expect(harness.sent('withdraw', 'web1').map(({ message }) => message)).toEqual([{ kind: 'withdraw', function: 'ftp', epoch: 1 }])
  })

  it('leaves the ring while it prepares: the next best is nominated', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'preparing')
    harness.host('web1').renews = false
    harness.runUntil(() => nominees(harness).length > 1, 5_000)
    expect(nominees(harness).slice(0, 2)).toEqual(['web1', 'web2'])
    expect(harness.said('it left the ring')).toBe(true)
  })

  it('is not reachable any more while it prepares, and renews: the next best is nominated', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'preparing')
    harness.host('web1').reachable = false
    harness.event({ event: 'reach', host: 'web1', reachable: false, why: 'no heartbeat' })
    harness.run(490)
    expect(nominees(harness)).toEqual(['web1'])
    harness.run(20)
    expect(nominees(harness)).toEqual(['web1', 'web2'])
    expect(harness.said('Nominee_web1_for_ftp_is_passed_over: it is not reachable any more')).toBe(true)
  })

  /** The manager reaches nobody any more, though the others live and renew. */
  function deafManager(): Harness {
    const harness = lostFtp()
    progress(harness, 'web1', 'preparing')
    harness.deaf('web2')
    harness.run(200)
    harness.deaf()
    return harness
  }

  it('is waited for at first by a manager that reaches nobody: that may be cut off itself', () => {
    const harness = deafManager()
    harness.run(1_400)
    expect(harness.state.rehoming.get('ftp')!.nominee).toBe('web1')
  })

  it('is passed over when nobody is reached for longer: the manager gives the function itself if nobody else has done so 5 s later', () => {
    const harness = deafManager()
    const cut_ms = harness.now_ms
    expect(harness.runUntil(() => harness.newest('ftp').epoch === 2, 20_000)).toBe(true)
    expect(harness.said('Nominee_web1_for_ftp_is_passed_over: it is not reachable any more')).toBe(true)
    expect(harness.newest('ftp')).toMatchObject({ holder: 'login', proof: 'silence' })
    expect(harness.now_ms - cut_ms).toBeGreaterThanOrEqual(6_500)
    expect(harness.now_ms - cut_ms).toBeLessThan(9_000)
  })

  it('loads still when the function\'s own server is back and good: that one is nominated', () => {
    const harness = homeBeforeNominee()
    expect(harness.sent('nominate').at(-1)).toMatchObject({ to: 'ftp', message: { function: 'ftp', as: 'native' } })
    expect(harness.said('Nominee_web1_for_ftp_is_passed_over: ftp is back and its services are good')).toBe(true)
    expect(harness.sent('withdraw', 'web1').length).toBe(1)
  })

  it('is asked again when the function\'s own server declines: nothing was wrong with it', () => {
    const harness = homeBeforeNominee()
    progress(harness, 'ftp', 'declined', 'its own lease is not good')
    harness.run(20)
    expect(nominees(harness)).toEqual(['web1', 'ftp'])
    expect(harness.sent('nominate').at(-1)).toMatchObject({ to: 'web1', message: { function: 'ftp', as: 'virtual' } })
  })

  it('stands ready when the function\'s own server is back: it claims at once, and is left to it', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'prepared')
    harness.addRelease('ftp', 1, 'power', 'login')
    harness.comeBack('ftp')
    harness.run(3_000)
    expect(nominees(harness)).toEqual(['web1'])
  })

  it('is ready and does not claim though proof stands: the next best is nominated', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'prepared')
    harness.run(9_000)
    expect(harness.said('it did not claim though proof stands')).toBe(true)
    expect(nominees(harness)).toContain('web2')
  })

  it('is waited for as long as proof does not stand', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'prepared')
    for (let count = 0; count < 20; count += 1) {
      harness.message('ftp', { kind: 'promise-request', request: count, epoch: 1 })
      harness.state.watches.get('ftp')!.mode_since_ms = harness.now_ms
      harness.run(500)
    }
    expect(nominees(harness)).toEqual(['web1'])
  })

  it('that is not the nominee is not listened to', () => {
    const harness = lostFtp()
    progress(harness, 'mail', 'failed')
    expect(nominees(harness)).toEqual(['web1'])
  })
})
