import { describe, expect, it } from 'vitest'
import { Harness, virtual, claimOf } from './harness.ts'

const slow = (harness: Harness, times = 1) => { for (let count = 0; count < times; count += 1) harness.event({ event: 'health', stalled_ms: 700, own_probes_missed: 0 }) }
const quiet = (harness: Harness, times = 1) => { for (let count = 0; count < times; count += 1) harness.event({ event: 'health', stalled_ms: 20, own_probes_missed: 0 }) }
const unheard = (harness: Harness, target = 'ftp', where: 'own address' | 'vip' = 'own address') =>
  harness.event({ event: 'probed', target, where, verdict: 'NG', daemon: 'service', detail: 'no answer within 1000 ms', timed_out: true })

/** login is P1 of ftp. */
function watcher(): Harness {
  const harness = Harness.settled('login')
  harness.manual.add('probe')
  return harness
}

describe('local health', () => {
  it('gets worse with a hold-up longer than a quick ping, a lost ping of its own, and a renewal longer than r', () => {
    const harness = watcher()
    const { health, own } = harness.state
    harness.event({ event: 'health', stalled_ms: 249, own_probes_missed: 0 })
    expect(health.score).toBe(0)
    harness.event({ event: 'health', stalled_ms: 250, own_probes_missed: 0 })
    expect(health).toEqual({ score: 1, reason: 'it was held up for 250 ms' })
    harness.event({ event: 'health', stalled_ms: 0, own_probes_missed: 1 })
    expect(health).toEqual({ score: 2, reason: 'it did not hear a ping of its own in time' })
    harness.event({ event: 'lease', generation: own.generation, sequence: own.sequence + 1, deadline_ms: harness.now_ms + 1_400, took_ms: 600 })
    expect(health).toEqual({ score: 3, reason: 'its lease took 600 ms to renew' })
  })

  it('counts a renewal once, however often the guard tells of it', () => {
    const harness = watcher()
    const { generation, sequence } = harness.state.own
    for (let count = 0; count < 3; count += 1) harness.event({ event: 'lease', generation, sequence: sequence + 1, deadline_ms: harness.now_ms + 1_400, took_ms: 600 })
    expect(harness.state.health.score).toBe(1)
  })

  it('has a worst, from which eight quiet seconds lead back', () => {
    const harness = watcher()
    slow(harness, 100)
    expect(harness.state.health.score).toBe(8)
    quiet(harness, 7)
    expect(harness.state.health.score).toBe(1)
    quiet(harness, 2)
    expect(harness.state.health.score).toBe(0)
  })
})

describe('a slow manager', () => {
  it('does not take its own lateness for a bad service, and says so once', () => {
    const harness = watcher()
    slow(harness)
    unheard(harness)
    unheard(harness)
    expect(harness.state.watches.get('ftp')).toMatchObject({ mode: 'regular', service: { verdict: 'OK', good_rounds: 0 } })
    expect(harness.reasons.filter(({ text }) => text.includes('nobody is accused from here')).map(({ text }) => text))
      .toEqual(['service_of_ftp_does_not_answer_in_time, and this host is slow itself: nobody is accused from here (it was held up for 700 ms)'])
    quiet(harness)
    unheard(harness)
    expect(harness.state.watches.get('ftp')?.mode).toBe('service recovery')
  })

  it('believes a refusal, and restarts the daemon', () => {
    const harness = watcher()
    slow(harness)
    harness.event({ event: 'probed', target: 'ftp', where: 'own address', verdict: 'NG', daemon: 'service', detail: 'no connection to port 80 (ECONNREFUSED)', timed_out: false })
    expect(harness.state.watches.get('ftp')?.mode).toBe('service recovery')
    harness.event({ event: 'probed', target: 'ftp', where: 'own address', verdict: 'NG', daemon: 'service', detail: 'no connection to port 80 (ECONNREFUSED)', timed_out: false })
    expect(harness.asked('hand').map(({ verb }) => verb)).toEqual(['restart-daemon'])
  })

  it('gives up a repair that has not begun when the second look comes to nothing', () => {
    const harness = watcher()
    unheard(harness)
    expect(harness.state.watches.get('ftp')?.mode).toBe('service recovery')
    slow(harness)
    unheard(harness)
    expect(harness.state.watches.get('ftp')).toMatchObject({ mode: 'regular', service: { verdict: undefined } })
    expect(harness.asked('hand')).toEqual([])
  })

  it('takes no VIP off a target while it is slow, and does when it is not and the service is still bad', () => {
    const harness = watcher()
    harness.manual.add('hand')
    const run = (rounds: number): void => { for (let round = 0; round < rounds; round += 1) { unheard(harness); harness.run(1_000) } }
    unheard(harness)
    unheard(harness)
    expect(harness.asked('hand').map(({ verb }) => verb)).toEqual(['restart-daemon'])
    slow(harness, 4)
    harness.event({ event: 'hand', target: 'ftp', verb: 'restart-daemon', ok: false, detail: 'no answer' })
    run(20)
    expect(harness.asked('hand').map(({ verb }) => verb)).toEqual(['restart-daemon'])
    expect(harness.said('service_of_ftp_does_not_answer_in_time, and this host is slow itself')).toBe(true)
    quiet(harness, 4)
    run(20)
    expect(harness.asked('hand').map(({ verb }) => verb)).toContain('release')
  })

  it('does so at once, however slow, when the service refuses and its restart fails', () => {
    const harness = watcher()
    slow(harness, 8)
    const refused = () => harness.event({ event: 'probed', target: 'ftp', where: 'own address', verdict: 'NG', daemon: 'service', detail: 'no connection to port 80 (ECONNREFUSED)', timed_out: false })
    harness.manual.add('hand')
    refused()
    refused()
    harness.event({ event: 'hand', target: 'ftp', verb: 'restart-daemon', ok: false, detail: 'it fails' })
    refused()
    expect(harness.asked('hand').map(({ verb }) => verb)).toEqual(['restart-daemon', 'release'])
  })

  it('opens no incident before the lease has been silent for D_stop', () => {
    const harness = watcher()
    slow(harness)
    harness.die('ftp')
    harness.run(1_800)
    expect(harness.stages()).toEqual([])
    harness.run(1_000)
    expect(harness.stages()[0]).toBe('detected')
  })

  it('waits for more lost pings before it examines, and longer for the answers', () => {
    const harness = watcher()
    harness.manual.add('examine')
    slow(harness, 2)
    const ping = () => harness.event({ event: 'ping', target: 'ftp', answered: false })
    ping()
    ping()
    expect(harness.state.watches.get('ftp')?.mode).toBe('regular')
    ping()
    expect(harness.state.watches.get('ftp')?.mode).toBe('network examination')
  })

  it('tells others what it heard, and not what it did not hear', () => {
    const harness = Harness.settled('mail')
    slow(harness)
    harness.message('proxy', { kind: 'probe-request', request: 41, target: 'web1' })
    harness.die('web1')
    harness.message('proxy', { kind: 'probe-request', request: 42, target: 'web1' })
    expect(harness.sent('probe-answer', 'proxy').map(({ message }) => message.request)).toEqual([41])
  })

  it('does not end a virtual server for what it could not hear', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.run(2_500)
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.run(3_000)
    slow(harness)
    harness.manual.add('probe')
    for (let round = 0; round < 20; round += 1) unheard(harness, 'ftp', 'vip')
    expect(harness.sent('yield')).toEqual([])
    quiet(harness)
    for (let round = 0; round < 20; round += 1) unheard(harness, 'ftp', 'vip')
    expect(harness.sent('yield', 'web1')).not.toEqual([])
  })
})
