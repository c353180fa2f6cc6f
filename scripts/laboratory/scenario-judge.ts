import type { LogEntry } from '../../src/edges/log/log-line.ts'
import type { Violation } from './audit.ts'
import type { Cut } from './client.ts'
import type { Scenario } from './scenario-file.ts'

/** What happened while a scenario was played. */
export interface ScenarioSeen {
  readonly claims: ReadonlyMap<string, string>
  readonly cuts: ReadonlyMap<string, readonly Cut[]>
  readonly boots: ReadonlyMap<string, number>
  readonly log: readonly LogEntry[]
  readonly violations: readonly Violation[]
}

/** Everything that was not expected, in words; empty when the scenario went as it was stated. */
export function unexpectedIn({ hosts, expect }: Scenario, seen: ScenarioSeen): string[] {
  const found = seen.violations.map(each => `${each.rule} ${each.subject}: ${each.text}${each.at === undefined ? '' : ` (from ${each.at}, for ${each.for_ms} ms)`}`)
  for (const host of hosts) {
    const claims = seen.claims.get(host) ?? ''
    const claimed = expect.claims[host]
    if (claimed ? !claimed.test(claims) : claims !== '') found.push(`claims of ${host}: ${claims || 'none'}; expected ${claimed ? shown(claimed) : 'none'}`)
    const allowed_ms = expect.cuts[host] ?? 0
    for (const cut of seen.cuts.get(host) ?? []) {
      if (cut.end === null) found.push(`clients of ${host} were cut off from ${cut.start} to the end (${cut.reason})`)
      else if (cut.ms > allowed_ms) found.push(`clients of ${host} were cut off for ${cut.ms} ms from ${cut.start} (${cut.reason}); expected ${allowed_ms === 0 ? 'no cut' : `at most ${allowed_ms} ms`}`)
    }
    const boots = seen.boots.get(host) ?? 0
    if (boots !== (expect.boots[host] ?? 0)) found.push(`${host} booted ${boots} times; expected ${expect.boots[host] ?? 0}`)
  }
  for (const line of expect.log) if (!seen.log.some(entry => line.test(entry.text))) found.push(`no log says ${line.source}`)
  for (const line of expect.never_log) {
    const entry = seen.log.find(each => line.test(each.text))
    if (entry) found.push(`the log of ${entry.host} says what it must not: ${entry.text}`)
  }
  return found
}

/** As it is written in the scenario. */
const shown = ({ source }: RegExp): string => source.replace(/^\^\(\?:(.*)\)\$$/, '$1')
