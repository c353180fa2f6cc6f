import { afterEach, describe, expect, it } from 'vitest'
import { SystemClock } from '../../../src/edges/clock.ts'
import { parsePingLine } from '../../../src/edges/probes/ping-line.ts'
import { SystemProber } from '../../../src/edges/probes/system-prober.ts'

/** Captured from iputils 20221126 with `-n -O -D`. */
const CAPTURED = `PING 10.77.0.9 (10.77.0.9) 56(84) bytes of data.
[1795209791.469834] 64 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=0.325 ms
[1795209787.972878] no answer yet for icmp_seq=1
[1795209790.533210] From 10.77.0.1 icmp_seq=1 Destination Host Unreachable
[1795209790.533291] From 10.77.0.1 icmp_seq=6 Destination Host Unreachable
[1795209790.533294] no answer yet for icmp_seq=6
[1795209791.992878] 64 bytes from 10.77.0.2: icmp_seq=7 ttl=64 time=1203 ms

--- 10.77.0.2 ping statistics ---
4 packets transmitted, 4 received, 0% packet loss, time 611ms
rtt min/avg/max/mdev = 0.052/0.120/0.325/0.117 ms`.split('\n')

describe('a line of ping', () => {
  it('reads answers and misses, and nothing else', () => {
    expect(CAPTURED.map(parsePingLine).filter(line => line !== undefined)).toEqual([
      { says: 'answer', rtt_ms: 0.325 }, { says: 'miss' }, { says: 'miss' }, { says: 'answer', rtt_ms: 1203 },
    ])
  })

  it('reads lines without a stamp', () => {
    expect(parsePingLine('64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.095 ms')).toEqual({ says: 'answer', rtt_ms: 0.095 })
    expect(parsePingLine('no answer yet for icmp_seq=12')).toEqual({ says: 'miss' })
  })

  it.each([
    '64 bytes from 10.0.0.3: icmp_seq=1 ttl=64 time=0.1 ms (DIFFERENT ADDRESS!)',
    '64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.1 ms (DUP!)',
    'From 10.0.0.1 icmp_seq=1 Time to live exceeded',
    'From 10.0.0.1: icmp_seq=2 Redirect Host(New nexthop: 10.0.0.2)',
    'ping: sendmsg: Network is unreachable',
    '',
  ])('takes no answer from "%s"', line => {
    expect(parsePingLine(line)).toBeUndefined()
  })
})

describe('live ping', () => {
  const problems: string[] = []
  const prober = new SystemProber({ clock: new SystemClock(), onProblem: text => problems.push(text) })
  afterEach(() => prober.stop())

  it('answers on loopback', async () => {
    expect(await prober.ping('127.0.0.1', 1_000, new AbortController().signal)).toBe(true)
  })

  it('has no answer when ping refuses the network', async () => {
    expect(await prober.ping('255.255.255.255', 50, new AbortController().signal)).toBe(false)
  })

  it('is called off', async () => {
    await expect(prober.ping('127.0.0.1', 1_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('watches on loopback with one process, until stopped', async () => {
    let answers = 0
    const seen = deferred()
    const watch = prober.watch('127.0.0.1', 200, { onAnswer: () => { if (++answers === 3) seen.resolve() }, onMiss: () => undefined })
    expect(watch.last_answer_ms).toBeUndefined()
    await seen.promise
    expect(watch.last_answer_ms).toBeLessThanOrEqual(new SystemClock().boot_ms())
    await watch.stop()
    const before = answers
    await new Promise(resolve => setTimeout(resolve, 450))
    expect(answers).toBe(before)
  })

  it('counts a ping that cannot run on the network as misses and starts it again', async () => {
    const seen = deferred()
    let misses = 0
    const watch = prober.watch('255.255.255.255', 200, { onAnswer: () => undefined, onMiss: () => { if (++misses === 2) seen.resolve() } })
    await seen.promise
    expect(problems[0]).toMatch(/^ping 255.255.255.255 ended \(ping: .*\); started again in 200 ms$/)
    expect(problems[1]).toMatch(/started again in 400 ms$/)
    await watch.stop()
  })
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>(done => { resolve = done })
  return { promise, resolve }
}
