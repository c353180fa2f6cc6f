import { describe, expect, it } from 'vitest'
import { claimOf, Harness, virtual } from './harness.ts'
import { runScenario, type Scenario } from '../../../src/simulator/scenario.ts'

/** ftp without power and without wake: its virtual server serves from about 24 s on, and falls silent at 40.5 s. */
const scenario = (seed: number): Scenario => ({
  title: 'a virtual server falls silent', hosts: 6, seed, until_ms: 60_000,
  steps: [{ at_ms: 20_500, do: 'no-wake', host: 'ftp' }, { at_ms: 20_500, do: 'power-off', host: 'ftp' }, { at_ms: 40_500, do: 'mute-virtual-server', host: 'ftp' }],
})

describe('a virtual server that stops serving', () => {
  it.each([1, 2, 3])('is started afresh under a later epoch, never twice at once (seed %i)', seed => {
    const { claims, violations, log } = runScenario(scenario(seed))
    expect(violations).toEqual([])
    expect(claims.get('ftp')?.map(({ kind, proof }) => [kind, proof])).toEqual([['native', 'first'], ['virtual', 'silence'], ['virtual', 'released']])
    expect(log.some(line => /Virtual_server_of_ftp_on_\w+_does_not_serve/.test(line))).toBe(true)
  })

  it('is left alone while it answers', () => {
    const { steps, ...rest } = scenario(4)
    const { claims } = runScenario({ ...rest, steps: steps.slice(0, 2) })
    expect(claims.get('ftp')?.length).toBe(2)
  })
})

/** login looks after ftp's virtual server on web1, which has answered before. */
function serving(): Harness {
  const harness = Harness.settled('login')
  harness.die('ftp')
  harness.addClaim(claimOf('ftp', 2, 'web1'))
  harness.host('web1').giving.push(virtual('ftp', 2))
  harness.run(3_000)
  harness.manual.add('probe')
  harness.forget()
  return harness
}

function rounds(harness: Harness, count: number, answer: { verdict: 'OK' | 'ERROR' | 'NG'; slow?: true }): void {
  for (let round = 0; round < count; round += 1) {
    harness.event({ event: 'probed', target: 'ftp', where: 'vip', daemon: 'vsftpd', detail: 'no answer within 1000 ms', ...answer })
    harness.run(1_000)
  }
}

/** Given again under the next epoch, and answering. */
function startAfresh(harness: Harness, epoch: number): void {
  harness.addClaim(claimOf('ftp', epoch, 'web1', { proof: 'released' }))
  harness.host('web1').giving = [virtual('ftp', epoch)]
  harness.run(2_000)
  rounds(harness, 1, { verdict: 'OK' })
  harness.forget()
}

describe('a virtual server that answers too late', () => {
  it('is overloaded: named in an alarm, and started afresh after ten times as many rounds only', () => {
    const harness = serving()
    rounds(harness, 3, { verdict: 'NG', slow: true })
    expect(harness.reasons.filter(({ text }) => text.includes('is_overloaded')).map(({ level }) => level)).toEqual(['alarm'])
    rounds(harness, 26, { verdict: 'NG', slow: true })
    expect(harness.sent('yield')).toEqual([])
    rounds(harness, 1, { verdict: 'NG', slow: true })
    expect(harness.sent('yield', 'web1').map(({ message }) => message.epoch)).toEqual([2])
    expect(harness.reasons.filter(({ text }) => text.includes('is_overloaded'))).toHaveLength(1)
  })

  it('is given twice the time after each restart, until the function was at home', () => {
    const harness = serving()
    rounds(harness, 30, { verdict: 'NG', slow: true })
    startAfresh(harness, 3)
    rounds(harness, 59, { verdict: 'NG', slow: true })
    expect(harness.sent('yield')).toEqual([])
    rounds(harness, 1, { verdict: 'NG', slow: true })
    expect(harness.sent('yield')).toHaveLength(1)
    harness.addClaim(claimOf('ftp', 4, 'ftp', { proof: 'hand-over' }))
    harness.run(1_000)
    startAfresh(harness, 5)
    rounds(harness, 30, { verdict: 'NG', slow: true })
    expect(harness.sent('yield')).toHaveLength(1)
  })

  it('begins anew when it answers in time once', () => {
    const harness = serving()
    rounds(harness, 29, { verdict: 'NG', slow: true })
    rounds(harness, 1, { verdict: 'OK' })
    rounds(harness, 29, { verdict: 'NG', slow: true })
    expect(harness.sent('yield')).toEqual([])
  })

  it('is started afresh after three rounds like any other when it refuses', () => {
    const harness = serving()
    rounds(harness, 5, { verdict: 'NG', slow: true })
    rounds(harness, 2, { verdict: 'NG' })
    expect(harness.sent('yield')).toEqual([])
    rounds(harness, 1, { verdict: 'NG' })
    expect(harness.sent('yield', 'web1')).toHaveLength(1)
  })
})
