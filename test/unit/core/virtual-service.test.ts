import { describe, expect, it } from 'vitest'
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
