/**
 * Every scenario's whole log is compared literally with its `expected.log`. After a change of the rules:
 * `npx tsx src/simulator/scenario-main.ts --write`, and read the difference before it is committed.
 */
import { describe, expect, it } from 'vitest'
import { compareLog, readScenario, runNamed, scenarioNames } from '../../src/simulator/scenario-files.ts'
import type { ScenarioResult } from '../../src/simulator/scenario.ts'
import { OUTCOMES, type Outcome } from './outcomes.ts'

describe.each(scenarioNames())('scenario %s', name => {
  const result = runNamed(name)

  it('logs what is expected, literally', () => {
    const comparison = compareLog(name, result)
    if (comparison.outcome === 'missing') expect.fail(`${name}/expected.log was missing and has been written: read it, then run again`)
    expect(result.log).toEqual(comparison.expected)
  })

  it('breaks no rule and ends in the layout of policy', () => {
    expect(result.violations).toEqual([])
    expect(result.deviations).toEqual([])
  })

  it('ends as told in words', () => {
    const expected = OUTCOMES[name]
    if (!expected) return expect.fail(`${name} has no entry in outcomes.ts`)
    expect(outcomeOf(name, result)).toEqual(withoutCuts(expected))
    for (const [server, limit_ms] of Object.entries(expected.cut_at_most_ms)) expect(result.cuts_ms.get(server), `cut of ${server}`).toBeLessThanOrEqual(limit_ms)
    for (const [server, cut_ms] of result.cuts_ms) if (!(server in expected.cut_at_most_ms)) expect(cut_ms, `cut of ${server}`).toBe(0)
    const lines = linesAfterTheFirstStep(name, result)
    for (const text of expected.said ?? []) expect(lines.filter(line => line.startsWith(text)).length, text).toBe(1)
    for (const text of expected.never ?? []) expect(lines.filter(line => line.startsWith(text)), text).toEqual([])
  })

  it('resumes a virtual server once for each claim, and not without one', () => {
    for (const [server, records] of result.claims) {
      const starts = result.log.filter(line => line.includes(` Start_of_virtual_server_${server}_`))
      expect(starts.length, `starts of the virtual server of ${server}`).toBe(records.filter(record => record.kind === 'virtual').length)
    }
  })
})

describe('the scenario runner', () => {
  it('gives the same log twice', () => {
    expect(runNamed('P1-and-target').log).toEqual(runNamed('P1-and-target').log)
  })

  it('has no outcome for a scenario that does not exist', () => {
    expect(Object.keys(OUTCOMES).sort()).toEqual(scenarioNames())
  })

  it('has a reason for every scenario', () => {
    for (const name of scenarioNames()) expect(readScenario(name).title).not.toBe('')
  })
})

/** Each as `host text`. */
function linesAfterTheFirstStep(name: string, result: ScenarioResult): string[] {
  const from_ms = readScenario(name).steps[0]?.at_ms ?? 0
  return result.log.flatMap(line => {
    const [, seconds, host, text] = /^ *([\d.]+) +(\S+) +(.*)$/.exec(line) ?? []
    return Number(seconds) * 1_000 >= from_ms ? [`${host} ${text}`] : []
  })
}

function withoutCuts({ claims, incidents }: Outcome): Pick<Outcome, 'claims' | 'incidents'> {
  return { claims, incidents }
}

/** The claims that were made after the first epoch, and how each incident ended, without names the seed decides. */
function outcomeOf(name: string, result: ScenarioResult): Pick<Outcome, 'claims' | 'incidents'> {
  const claims: Record<string, string[]> = {}
  for (const [server, records] of result.claims) {
    expect(records.map(record => record.epoch), `epochs of ${server} in ${name}`).toEqual(records.map((_, index) => index + 1))
    if (records.length > 1) claims[server] = records.slice(1).map(record => `${record.holder === server ? 'itself' : 'another'}, ${record.kind}, ${record.proof}`)
  }
  const incidents = result.incidents.filter(({ entry }) => entry.stage === 'closed').map(({ host, entry }) => `${entry.target}: ${entry.trouble} ${entry.outcome}, by ${host}`)
  return { claims, incidents: incidents.sort() }
}
