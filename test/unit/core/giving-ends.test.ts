import { describe, expect, it } from 'vitest'
import { claimOf, Harness } from './harness.ts'
import { nominated, order, stage } from './nominated.ts'

describe('what is given is stopped', () => {
  it('when a later epoch belongs to another', () => {
    const harness = nominated()
    harness.addClaim(claimOf('ftp', 3, 'ftp', { proof: 'hand-over', by: 'web2' }))
    harness.forget()
    harness.observe()
    expect(harness.asked('stop')).toEqual([{ command: 'stop', function: 'ftp', kind: 'virtual' }])
    expect(harness.asked('release')).toEqual([])
    expect(harness.state.giving.has('ftp')).toBe(false)
  })

  it('when its epoch was released by another, natively too', () => {
    const harness = Harness.settled('ftp')
    harness.addRelease('ftp', 1)
    harness.observe()
    expect(harness.asked('stop')).toEqual([{ command: 'stop', function: 'ftp', kind: 'native' }])
    expect(harness.said('was released (remote-hand by mail)')).toBe(true)
    harness.run(5_000)
    expect(harness.asked('serve')).toEqual([])
  })

  it('again when the stop fails, and not forgotten meanwhile', () => {
    const harness = nominated()
    harness.manual.add('stop')
    harness.addRelease('ftp', 2)
    harness.forget()
    harness.observe()
    harness.event({ event: 'stopped', function: 'ftp', ok: false, detail: 'busy' })
    expect(stage(harness)).toBe('stopping')
    harness.run(16_000)
    expect(harness.asked('stop')).toHaveLength(2)
    expect(harness.said('the stop was not confirmed in time')).toBe(true)
  })

  it('when its manager asks for it because the service does not work', () => {
    const harness = Harness.settled('ftp')
    harness.message('login', { kind: 'yield', function: 'ftp', epoch: 2 })
    expect(order(harness)).toEqual([])
    harness.message('login', { kind: 'yield', function: 'ftp', epoch: 1 })
    expect(order(harness)).toEqual(['stop', 'release'])
    expect(harness.releases.get('ftp 1')).toMatchObject({ how: 'not-started', by: 'ftp' })
  })
})

it('is released anew under the next epoch, however soon after the one before', () => {
  const harness = nominated()
  harness.run(500)
  harness.message('login', { kind: 'yield', function: 'ftp', epoch: 2 })
  harness.run(500)
  harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 2, as: 'virtual' })
  harness.run(500)
  harness.message('login', { kind: 'yield', function: 'ftp', epoch: 3 })
  harness.run(500)
  expect([...harness.releases.keys()]).toEqual(['ftp 1', 'ftp 2', 'ftp 3'])
  expect(harness.state.giving.has('ftp')).toBe(false)
})

describe('a VIP that a remote hand has taken off', () => {
  function takenOff(): Harness {
    const harness = Harness.settled('ftp')
    harness.manual.add('observe')
    harness.event({ event: 'taken-off', function: 'ftp', epoch: 1 })
    return harness
  }

  it('is released here when nobody does: who has sent the hand may be dead', () => {
    const harness = takenOff()
    harness.manual.delete('observe')
    harness.run(900)
    expect(order(harness)).toEqual([])
    harness.run(200)
    expect(order(harness)).toEqual(['stop', 'release'])
    expect(harness.releases.get('ftp 1')).toMatchObject({ how: 'remote-hand', by: 'ftp' })
    expect(harness.state.functions.get('ftp')!.failed_starts).toBe(0)
  })

  it('is given up without a release of its own when there is one', () => {
    const harness = takenOff()
    harness.addRelease('ftp', 1, 'remote-hand', 'login')
    harness.observe()
    harness.run(3_000)
    expect(order(harness)).toEqual(['stop'])
  })

  it('is nothing of a newer epoch', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'taken-off', function: 'ftp', epoch: 0 })
    harness.run(3_000)
    expect(order(harness)).toEqual([])
  })
})

describe('R7: a start that fails', () => {
  it('after the claim releases the epoch', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('serve')
    nominated(harness)
    harness.event({ event: 'serving', function: 'ftp', epoch: 2, ok: false, detail: 'no memory' })
    expect(order(harness)).toEqual(['prepare', 'claim', 'serve', 'stop', 'release'])
    expect(harness.releases.get('ftp 2')).toMatchObject({ how: 'not-started', by: 'proxy' })
    expect(harness.sent('progress', 'login').at(-1)!.message).toMatchObject({ stage: 'failed', detail: 'no memory' })
  })

  it('before the claim releases nothing', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    harness.event({ event: 'prepared', function: 'ftp', ok: false, detail: 'the saved state does not load' })
    expect(order(harness)).toEqual(['prepare', 'stop'])
    expect(harness.sent('progress', 'login').at(-1)!.message.stage).toBe('failed')
  })

  it('by itself, after it ran, releases the epoch too', () => {
    const harness = nominated()
    harness.event({ event: 'virtual-server-gone', function: 'ftp', detail: 'killed' })
    expect(harness.releases.get('ftp 2')).toMatchObject({ how: 'not-started' })
    expect(harness.state.giving.has('ftp')).toBe(false)
  })

  it('by never answering is given up after its limit', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('serve')
    nominated(harness)
    harness.run(91_000)
    expect(harness.said('the function did not start in time')).toBe(true)
    expect(harness.releases.get('ftp 2')).toMatchObject({ how: 'not-started' })
  })

  it('a virtual server of the own former generation is released, not started again', () => {
    const harness = new Harness('proxy')
    harness.addClaim(claimOf('ftp', 2, 'proxy', { generation: 0 }))
    harness.run(2_000)
    expect(harness.releases.get('ftp 2')).toMatchObject({ how: 'not-started', by: 'proxy' })
    expect(harness.asked('prepare')).toEqual([])
  })
})

describe('the hand-over to a target that is back', () => {
  function givingForFtp(): Harness {
    const harness = nominated()
    harness.comeBack('ftp')
    harness.run(1_000)
    harness.forget()
    return harness
  }
  const ask = (harness: Harness, fields: { epoch?: number; to?: string; generation?: number } = {}): void =>
    void harness.message('login', { kind: 'return', incident: 'i', function: 'ftp', epoch: 2, to: 'ftp', generation: 2, ...fields })

  it('stops first, then claims for the target, then tells it to look', () => {
    const harness = givingForFtp()
    ask(harness)
    expect(order(harness)).toEqual(['stop', 'claim'])
    expect(harness.newest('ftp')).toMatchObject({ epoch: 3, holder: 'ftp', generation: 2, kind: 'native', proof: 'hand-over', by: 'proxy' })
    expect(harness.sent('look', 'ftp')).toHaveLength(1)
    expect(harness.state.giving.has('ftp')).toBe(false)
  })

  it.each([
    ['for another epoch', { epoch: 1 }], ['to another than its own server', { to: 'web1' }], ['to a generation that is over', { generation: 1 }],
  ])('is refused %s', (_, fields) => {
    const harness = givingForFtp()
    ask(harness, fields)
    expect(order(harness)).toEqual([])
  })

  it('is refused when the target renews no more', () => {
    const harness = givingForFtp()
    harness.host('ftp').renews = false
    harness.run(2_600)
    harness.forget()
    ask(harness)
    expect(order(harness)).toEqual([])
  })

  it('leaves a claim that was lost to whoever won it', () => {
    const harness = givingForFtp()
    harness.manual.add('claim')
    ask(harness)
    harness.event({ event: 'claimed', function: 'ftp', epoch: 3, outcome: 'lost', standing: claimOf('ftp', 3, 'web1'), detail: '' })
    expect(harness.state.giving.has('ftp')).toBe(false)
    expect(harness.sent('look')).toEqual([])
  })

  it('ends the epoch for good when its outcome is unknown: the claim may be applied late', () => {
    const harness = givingForFtp()
    harness.manual.add('claim')
    ask(harness)
    harness.event({ event: 'claimed', function: 'ftp', epoch: 3, outcome: 'unknown', detail: 'no answer in time' })
    harness.run(1_000)
    expect(order(harness)).toEqual(['stop', 'claim', 'release'])
    expect(harness.asked('serve')).toEqual([])
  })

  it('is taken up by the target', () => {
    const harness = new Harness('ftp')
    harness.addClaim(claimOf('ftp', 2, 'proxy'))
    harness.run(2_000)
    harness.addClaim(claimOf('ftp', 3, 'ftp', { proof: 'hand-over', by: 'proxy' }))
    harness.message('proxy', { kind: 'look' })
    expect(harness.asked('serve')).toEqual([{ command: 'serve', function: 'ftp', epoch: 3, kind: 'native', generation: 1 }])
  })
})
