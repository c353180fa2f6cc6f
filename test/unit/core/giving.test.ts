import { describe, expect, it } from 'vitest'
import type { Inventory } from '../../../src/core/inventory.ts'
import { claimOf, Harness } from './harness.ts'
import { nominated, order, stage } from './nominated.ts'

/** An interval and two renewals: the longest that a dead host's last record lies behind its last word. */
const HEARD_AS_LIVING_MS = 2_100

it('a host whose neighbours have just died with their last record unread is not taken for cut off', () => {
  const harness = Harness.settled('proxy')
  harness.manual.add('prepare')
  nominated(harness)
  for (const name of harness.hosts.keys()) harness.die(name)
  harness.run(1_000)
  harness.event({ event: 'prepared', function: 'ftp', ok: true, detail: 'paused' })
  expect(harness.said('Cannot_give_ftp')).toBe(false)
  harness.runUntil(() => harness.asked('claim').length > 0, 5_000)
  expect(harness.asked('claim').map(({ order: { function: name } }) => name)).toEqual(['ftp'])
})

describe('a host that is cut off after it was nominated', () => {
  function cutOff(inventory: Partial<Inventory> = {}): Harness {
    const harness = Harness.settled('proxy', { inventory })
    harness.manual.add('prepare')
    nominated(harness)
    harness.deaf()
    harness.run(HEARD_AS_LIVING_MS)
    return harness
  }

  it('does not claim when others ask it whether it is alone: no client would reach what it gives', () => {
    const harness = cutOff()
    const { generation, sequence } = harness.state.own
    harness.pills = [{ schema: 'ringward.pill/1', host: 'proxy', generation, sequence, by: 'mail' }]
    harness.run(600)
    harness.event({ event: 'prepared', function: 'ftp', ok: true, detail: 'paused' })
    expect(harness.asked('claim')).toEqual([])
    expect(harness.said('Cannot_give_ftp: it hears none of the hosts that renew')).toBe(true)
    expect(order(harness)).toEqual(['prepare', 'stop'])
  })

  it('leaves it to those who hear others for five seconds, then claims: all may have lost one another', () => {
    const harness = cutOff()
    harness.event({ event: 'prepared', function: 'ftp', ok: true, detail: 'paused' })
    const ready_ms = harness.now_ms
    for (let beat = 0; beat < 4; beat += 1) {
      harness.run(1_000)
      nominated(harness)
    }
    expect(harness.asked('claim')).toEqual([])
    expect(harness.runUntil(() => harness.asked('claim').length > 0, 3_000)).toBe(true)
    expect(harness.now_ms - ready_ms).toBeGreaterThan(4_000)
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'proxy' })
  })

  it.each([[true, 4, 6], [false, 9, 11]] as const)('where the gateway answers: %s, it leaves it to them for between %i and %i seconds', (answered, least_s, most_s) => {
    const harness = cutOff({ gateway: '10.77.0.1' })
    harness.event({ event: 'prepared', function: 'ftp', ok: true, detail: 'paused' })
    const ready_ms = harness.now_ms
    while (harness.asked('claim').length === 0 && harness.now_ms - ready_ms < 20_000) {
      harness.event({ event: 'gateway', answered })
      nominated(harness)
      harness.run(200)
    }
    expect(harness.now_ms - ready_ms).toBeGreaterThan(least_s * 1_000)
    expect(harness.now_ms - ready_ms).toBeLessThan(most_s * 1_000)
  })
})

describe('what goes on by promise and is taken up anew under the next generation', () => {
  /** ftp rode through an outage; its lease is back, it has claimed its function again, and is about to take it up. */
  function takingUp(): Harness {
    const harness = Harness.settled('ftp')
    harness.manual.add('serve')
    harness.loseLease([])
    for (let beat = 0; beat < 3; beat += 1) {
      for (const { to, message } of harness.sent('promise-request')) harness.message(to, { kind: 'promise', request: message.request })
      harness.forget()
      harness.run(400)
    }
    harness.renews = true
    harness.runUntil(() => harness.asked('serve').length > 0, 3_000)
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'ftp', generation: 2, proof: 'own-past' })
    return harness
  }

  it('goes on as before when the lease is too short for it, and is tried again', () => {
    const harness = takingUp()
    harness.event({ event: 'serving', function: 'ftp', epoch: 2, ok: false, detail: 'the lease is not good for 500 ms more' })
    expect(harness.said('ftp_goes_on_under_epoch_1: epoch 2 could not be taken up (the lease is not good for 500 ms more)')).toBe(true)
    expect(harness.state.giving.get('ftp')).toMatchObject({ stage: 'serving', epoch: 1 })
    expect(harness.asked('stop')).toEqual([])
    harness.forget()
    harness.run(600)
    expect(harness.asked('serve')).toMatchObject([{ function: 'ftp', epoch: 2 }])
    harness.event({ event: 'serving', function: 'ftp', epoch: 2, ok: true, detail: '' })
    expect(harness.state.giving.get('ftp')).toMatchObject({ stage: 'serving', epoch: 2 })
  })

  it('goes on as before when the lease is lost in between', () => {
    const harness = takingUp()
    harness.loseLease([])
    expect(harness.state.giving.get('ftp')).toMatchObject({ stage: 'serving', epoch: 1 })
    expect(harness.asked('stop')).toEqual([])
  })

  it('ends when the guard has stopped it', () => {
    const harness = takingUp()
    harness.loseLease(['ftp'])
    expect(harness.state.giving.has('ftp')).toBe(false)
    expect(harness.asked('stop')).toMatchObject([{ function: 'ftp', kind: 'native' }])
  })
})

describe('R10: at boot', () => {
  it('nothing is given before the own lease is held and the share was read', () => {
    const harness = new Harness('proxy')
    harness.renews = false
    harness.run(3_000)
    expect(order(harness)).toEqual([])
    harness.renews = true
    harness.run(1_000)
    expect(order(harness)).toEqual(['serve'])
  })

  it('the own function is claimed for the first time', () => {
    const harness = new Harness('proxy')
    harness.claims.set('proxy', [])
    harness.run(2_000)
    expect(order(harness)).toEqual(['claim', 'serve'])
    expect(harness.newest('proxy')).toMatchObject({ epoch: 1, holder: 'proxy', generation: 1, kind: 'native', proof: 'first', by: 'proxy' })
  })

  it('a function that another gives meanwhile is left alone', () => {
    const harness = new Harness('proxy')
    harness.addClaim(claimOf('proxy', 2, 'web1'))
    harness.run(10_000)
    expect(order(harness)).toEqual([])
  })

  it('what a former agent gave under the same generation goes on', () => {
    const harness = new Harness('proxy')
    harness.event({ event: 'adopted', function: 'proxy', epoch: 1, kind: 'native' })
    harness.run(3_000)
    expect(order(harness)).toEqual([])
    expect(stage(harness, 'proxy')).toBe('serving')
    expect(harness.said('was_given_by_the_former_agent')).toBe(true)
  })

  it('what a former agent gave and another has claimed since is stopped', () => {
    const harness = new Harness('proxy')
    harness.addClaim(claimOf('proxy', 2, 'web1'))
    harness.event({ event: 'adopted', function: 'proxy', epoch: 1, kind: 'native' })
    harness.run(1_000)
    expect(order(harness)).toEqual(['stop'])
  })
})

describe('a function that is handed over to a host which does not stand ready any more', () => {
  const handedOver = (harness: Harness): void => {
    harness.addClaim(claimOf('ftp', 2, 'proxy', { proof: 'hand-over', by: 'ftp' }))
    harness.observe()
  }

  it('is taken up all the same', () => {
    const harness = Harness.settled('proxy')
    handedOver(harness)
    expect(order(harness)).toEqual(['prepare', 'serve'])
  })

  it('is released at once when there is no room for it (S4)', () => {
    const harness = Harness.settled('proxy')
    harness.state.load!.average = { ...harness.state.load!.average, memory_kb: 200_000 }
    handedOver(harness)
    expect(order(harness)).toEqual(['release'])
    expect(harness.releases.get('ftp 2')).toMatchObject({ how: 'not-started', by: 'proxy' })
    expect(harness.said('Release_ftp_epoch_2: it is claimed for this host, and there is no room here any more')).toBe(true)
  })
})

describe('a release', () => {
  /** What an earlier life of this host gave is released; the answer is the test's. */
  function releasing(): Harness {
    const harness = Harness.settled('proxy')
    harness.manual.add('release')
    harness.addClaim(claimOf('ftp', 2, 'proxy', { generation: 0 }))
    harness.observe()
    expect(order(harness)).toEqual(['release'])
    return harness
  }

  it('that failed is ordered again with the next renewal', () => {
    const harness = releasing()
    harness.event({ event: 'released', function: 'ftp', epoch: 2, ok: false, detail: 'the file server refuses' })
    expect(order(harness)).toEqual(['release'])
    harness.run(600)
    expect(order(harness)).toEqual(['release', 'release'])
  })

  it('that was not answered is not ordered again before its time is over', () => {
    const harness = releasing()
    harness.run(4_900)
    expect(order(harness)).toEqual(['release'])
    harness.run(200)
    expect(order(harness)).toEqual(['release', 'release'])
  })
})

describe('a nominee', () => {
  it('prepares, claims, serves, in this order, and reports each', () => {
    const harness = nominated()
    expect(order(harness)).toEqual(['prepare', 'claim', 'serve'])
    expect(harness.sent('progress', 'login').map(({ message }) => message.stage)).toEqual(['preparing', 'prepared', 'starting', 'serving'])
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'proxy', kind: 'virtual', proof: 'released' })
  })

  it('says why before it acts (S5)', () => {
    const harness = nominated()
    const texts = harness.reasons.map(({ text }) => text)
    const of = (part: string): number => texts.findIndex(text => text.includes(part))
    expect([of('Nominated_by_login'), of('Claim_ftp_epoch_2'), of('Start_of_virtual_server_ftp'), of('Server_start_Complete')]).not.toContain(-1)
    expect(of('Nominated_by_login')).toBeLessThan(of('Claim_ftp_epoch_2'))
    expect(of('Claim_ftp_epoch_2')).toBeLessThan(of('Start_of_virtual_server_ftp'))
  })

  it('claims nothing before the virtual server is ready', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    nominated(harness)
    harness.run(2_000)
    expect(order(harness)).toEqual(['prepare'])
    harness.event({ event: 'prepared', function: 'ftp', ok: true, detail: '' })
    expect(order(harness)).toEqual(['prepare', 'claim', 'serve'])
  })

  it('takes a repeated nomination for the same one', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    nominated(harness)
    harness.message('web1', { kind: 'nominate', incident: 'j', function: 'ftp', epoch: 1, as: 'virtual' })
    expect(order(harness)).toEqual(['prepare'])
    expect(harness.sent('progress', 'web1').map(({ message }) => message.stage)).toEqual(['preparing'])
  })

  it.each([
    ['its own lease is not good', (harness: Harness): void => void (harness.state.own.deadline_ms = harness.now_ms)],
    ['no room', (harness: Harness): void => void (harness.state.load!.forecast = { memory_kb: 200_000, cpu_idle_percent: 1, network_kb_per_s: 1 })],
    ['epoch 2 stands already', (harness: Harness): void => {
      harness.addClaim(claimOf('ftp', 2, 'web1'))
      harness.observe()
    }],
    ['no room', (harness: Harness): void => {
      // What was accepted a moment ago is in no survey yet.
      harness.state.load!.forecast = { ...harness.state.load!.forecast, memory_kb: 400 * 1024 }
      harness.message('login', { kind: 'nominate', incident: 'i', function: 'web1', epoch: 1, as: 'virtual' })
    }],
    ['no room', (harness: Harness): void => {
      // Memory has just become free: the forecast promises more than there is.
      Object.assign(harness.state.load!, { average: { ...harness.state.load!.average, memory_kb: 200_000 }, forecast: { ...harness.state.load!.forecast, memory_kb: 400_000 } })
    }],
  ])('declines: %s', (why, prepare) => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    prepare(harness)
    harness.forget()
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    expect(harness.sent('progress', 'login').map(({ message }) => [message.stage, message.detail])).toEqual([['declined', why]])
    expect(order(harness)).toEqual([])
  })

  it('is busy while two starts are under way, and not when one of them has ended', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    for (const name of ['web1', 'web2']) harness.message('login', { kind: 'nominate', incident: 'i', function: name, epoch: 1, as: 'virtual' })
    harness.forget()
    nominated(harness)
    expect(harness.sent('progress', 'login').map(({ message }) => [message.stage, message.detail])).toEqual([['busy', '2 starts are under way']])
    harness.event({ event: 'prepared', function: 'web1', ok: true, detail: '' })
    harness.forget()
    nominated(harness)
    expect(order(harness)).toEqual(['prepare'])
  })

  it('declines to give another\'s function natively', () => {
    const harness = Harness.settled('proxy')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'native' })
    expect(harness.sent('progress', 'login').map(({ message }) => message.detail)).toEqual(['it is not its own function'])
  })

  it('gives up a preparation whose manager is not heard any more', () => {
    const harness = Harness.settled('proxy')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    harness.run(9_000)
    expect(order(harness)).toEqual(['prepare'])
    harness.run(2_000)
    expect(order(harness)).toEqual(['prepare', 'stop'])
    expect(harness.state.giving.has('ftp')).toBe(false)
  })

  it('gives up when the nomination is withdrawn, and only for that epoch', () => {
    const harness = Harness.settled('proxy')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    harness.message('login', { kind: 'withdraw', function: 'ftp', epoch: 9 })
    expect(order(harness)).toEqual(['prepare'])
    harness.message('login', { kind: 'withdraw', function: 'ftp', epoch: 1 })
    expect(order(harness)).toEqual(['prepare', 'stop'])
  })

  it('gives up when another has won the claim', () => {
    const harness = Harness.settled('proxy')
    harness.claims.get('ftp')!.push(claimOf('ftp', 2, 'web1'))
    harness.manual.add('observe')
    harness.event({ event: 'observed', started_ms: harness.now_ms, observation: { leases: [], claims: [{ claim: claimOf('ftp', 1, 'ftp'), release: { schema: 'ringward.release/1', function: 'ftp', epoch: 1, how: 'power', by: 'login' } }], orders: [] } })
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    expect(harness.said('Claim_ftp_epoch_2_was_lost_to_web1')).toBe(true)
    expect(order(harness)).toEqual(['prepare', 'claim', 'stop'])
    expect(harness.asked('release')).toEqual([])
  })
})

describe('a claim whose outcome is unknown', () => {
  function unknown(): Harness {
    const harness = Harness.settled('proxy')
    harness.manual.add('claim')
    nominated(harness)
    harness.event({ event: 'claimed', function: 'ftp', epoch: 2, outcome: 'unknown', detail: 'no answer in time' })
    return harness
  }

  it('is taken up when the share shows it after all', () => {
    const harness = unknown()
    expect(order(harness)).toEqual(['prepare', 'claim'])
    harness.addClaim(claimOf('ftp', 2, 'proxy'))
    harness.run(600)
    expect(order(harness)).toEqual(['prepare', 'claim', 'serve'])
  })

  it('is made again when the share does not show it', () => {
    const harness = unknown()
    harness.run(1_500)
    expect(order(harness)).toEqual(['prepare', 'claim', 'claim'])
  })
})
