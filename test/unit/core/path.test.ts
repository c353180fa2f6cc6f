import { describe, expect, it } from 'vitest'
import { Harness } from './harness.ts'

const bad = { event: 'probed', target: 'ftp', where: 'own address', verdict: 'NG', daemon: 'service', detail: 'no answer within 1000 ms' } as const
const mode = (harness: Harness) => harness.state.watches.get('ftp')?.mode

/** login is P1 of ftp; the dialogues, examinations and hands are the test's own. */
function watched(): Harness {
  const harness = Harness.settled('login')
  for (const command of ['probe', 'examine', 'hand'] as const) harness.manual.add(command)
  // What was under way at the first of those words is answered.
  harness.event({ ...bad, verdict: 'OK', detail: '' })
  return harness
}

function pings(harness: Harness, answered: boolean): void {
  Object.assign(harness.host('ftp'), { answers: answered })
  harness.event({ event: 'ping', target: 'ftp', answered })
}

describe('a service dialogue on a bad path', () => {
  it('that ended badly before the first ping was lost is forgotten with it', () => {
    const harness = watched()
    harness.event(bad)
    expect(mode(harness)).toBe('service recovery')
    pings(harness, false)
    harness.event({ event: 'examined', target: 'ftp', answered: true })
    pings(harness, true)
    harness.run(900)
    expect(harness.state.watches.get('ftp')?.service.verdict).toBeUndefined()
    expect(harness.asked('hand')).toEqual([])
  })

  it('that ends after the path is good again blames no daemon, and does not end the wait for a later one', () => {
    const harness = watched()
    const begun_ms = harness.now_ms
    pings(harness, false)
    harness.run(300)
    pings(harness, true)
    harness.event({ event: 'examined', target: 'ftp', answered: true })
    expect(mode(harness)).toBe('regular')
    harness.run(1_100)
    const { probing_since_ms } = harness.state.watches.get('ftp')!.service
    expect(probing_since_ms).toBeGreaterThan(begun_ms)
    harness.event({ ...bad, started_ms: begun_ms })
    expect(mode(harness)).toBe('regular')
    expect(harness.state.watches.get('ftp')?.service).toMatchObject({ verdict: 'OK', probing_since_ms })
  })

  it('that began after it is good again counts as ever', () => {
    const harness = watched()
    pings(harness, false)
    pings(harness, true)
    harness.event({ event: 'examined', target: 'ftp', answered: true })
    harness.event(bad)
    expect(mode(harness)).toBe('service recovery')
    harness.event({ event: 'examined', target: 'ftp', answered: true })
    harness.event(bad)
    expect(harness.asked('hand').map(({ verb }) => verb)).toEqual(['restart-daemon'])
  })

  it('is none of the confirming dialogue: that one is waited for', () => {
    const harness = watched()
    const begun_ms = harness.now_ms
    harness.run(10)
    harness.event(bad)
    harness.run(10)
    harness.event({ event: 'examined', target: 'ftp', answered: true })
    harness.event({ ...bad, started_ms: begun_ms })
    expect(harness.asked('hand')).toEqual([])
    harness.event({ ...bad, verdict: 'OK', detail: '' })
    expect(mode(harness)).toBe('regular')
  })

  it('is held by a repair anew as soon as the path is good again: nobody else asks meanwhile', () => {
    const harness = watched()
    harness.event(bad)
    harness.event({ event: 'examined', target: 'ftp', answered: true })
    harness.event(bad)
    harness.event({ event: 'hand', target: 'ftp', verb: 'restart-daemon', ok: true, detail: '' })
    const asked = harness.asked('probe').length
    pings(harness, false)
    harness.run(300)
    pings(harness, true)
    expect(harness.asked('probe')).toHaveLength(asked + 1)
    harness.event({ ...bad, verdict: 'OK', detail: '' })
    expect(mode(harness)).toBe('regular')
  })
})
