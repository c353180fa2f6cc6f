/**
 * A host that yields writes its own release and must not take the function up again before it has read that record back: its
 * shared area may hang at that very moment, while another host claims by the release. The moment is swept through.
 */
import { describe, expect, it } from 'vitest'
import { runScenario, type Scenario } from '../../src/simulator/scenario.ts'

const STEP_MS = 2
const SWEEP_MS = 100
/** The hand is tried for 10 s, the yield follows. */
const UNTIL_MS = 45_000

function yieldOf(seed: number, hang_ms?: number): Scenario {
  return {
    title: 'a host yields and its shared area hangs', hosts: 6, seed, until_ms: hang_ms === undefined ? UNTIL_MS : hang_ms + 6_000,
    steps: [
      { at_ms: 20_500, do: 'break-daemon', host: 'ftp' }, { at_ms: 20_500, do: 'cut-hand', host: 'ftp' },
      ...(hang_ms === undefined ? [] : [{ at_ms: hang_ms, do: 'share-hang' as const, host: 'ftp' }]),
    ],
  }
}

describe('a host whose shared area hangs after it has yielded', () => {
  it.each([1, 2])('never gives the function together with its successor, seed %i', seed => {
    const line = runScenario(yieldOf(seed)).log.find(text => text.includes('Stop_ftp_(native): its manager asks for it'))
    if (line === undefined) return expect.fail('the target was never asked to yield')
    const yielded_ms = Math.round(Number(line.trim().split(' ')[0]) * 1_000)
    for (let after_ms = 0; after_ms <= SWEEP_MS; after_ms += STEP_MS) {
      expect(runScenario(yieldOf(seed, yielded_ms + after_ms)).violations, `hang ${after_ms} ms after the yield`).toEqual([])
    }
  })
})
