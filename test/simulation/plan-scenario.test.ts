/** What `ringward replay --write` keeps is a scenario like any other. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planFile } from '../../src/simulator/plan-scenario.ts'
import { compareLog, runNamed, scenarioNames } from '../../src/simulator/scenario-files.ts'
import { parseScenario } from '../../src/simulator/scenario.ts'
import { runSwarm } from '../../src/simulator/schedule.ts'
import { drawSwarm } from '../../src/simulator/swarm.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringward-plan-'))
  mkdirSync(join(folder, 'kept'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a plan that was written', () => {
  it('goes as the schedule did, and its log can be compared', () => {
    const plan = drawSwarm(17)
    writeFileSync(join(folder, 'kept', 'scenario.json'), planFile('kept', plan))
    expect(scenarioNames(folder)).toEqual(['kept'])
    const lines: string[] = []
    runSwarm(plan, { onLog: (at_ms, host, text) => lines.push(`${(at_ms / 1000).toFixed(3).padStart(9)} ${host.padEnd(6)} ${text}`) })
    const result = runNamed('kept', folder)
    expect(result.log).toEqual(lines)
    expect(result.violations).toEqual([])
    expect(Math.max(...result.cuts_ms.values())).toBeGreaterThan(0)
    expect(compareLog('kept', result, folder).outcome).toBe('missing')
    expect(compareLog('kept', runNamed('kept', folder), folder).outcome).toBe('same')
  })

  it.each([
    [{}, '"seed" is no number'],
    [{ ...drawSwarm(3), faults: [] }, '"faults" is no list, or empty'],
    [{ ...drawSwarm(3), faults: [{ ...drawSwarm(3).faults[0], fault: 'flood' }] }, '"flood" is no fault'],
    [{ ...drawSwarm(3), faults: [{ ...drawSwarm(3).faults[0], target: 'nobody' }] }, 'there is no host "nobody"'],
  ])('is refused when it is none: %#', (plan, reason) => {
    expect(() => parseScenario({ title: 'kept', plan })).toThrow(reason)
  })
})
