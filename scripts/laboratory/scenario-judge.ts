import type { LogEntry } from '../../src/edges/log/log-line.ts'
import type { Violation } from './audit.ts'
import type { Cut } from './client.ts'
import { grownBeyond, type Memory } from './process-memory.ts'
import type { Scenario } from './scenario-file.ts'

/** What happened while a scenario was played. */
export interface ScenarioSeen {
  readonly claims: ReadonlyMap<string, string>
  readonly cuts: ReadonlyMap<string, readonly Cut[]>
  readonly boots: ReadonlyMap<string, number>
  readonly log: readonly LogEntry[]
  readonly violations: readonly Violation[]
  /** Resident memory of ringward's processes when it was remembered and at the end. */
  readonly memory?: readonly [before: Memory, after: Memory]
  /** Hosts whose log on the shared area is not theirs; looked at only where that is expected. */
  readonly logs_behind?: readonly string[]
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
  if (!stoodInOrder(expect.in_order, seen.log)) found.push(`no host's log says in this order: ${expect.in_order.map(line => line.source).join(', ')}`)
  if (expect.growth_percent !== undefined && seen.memory) found.push(...grownBeyond(expect.growth_percent, ...seen.memory))
  for (const host of seen.logs_behind ?? []) found.push(`the log of ${host} on the shared area is not what the host has`)
  return found
}

/** Whether one host's log has a line for each pattern, each after the one before. */
function stoodInOrder(patterns: readonly RegExp[], log: readonly LogEntry[]): boolean {
  if (patterns.length === 0) return true
  return [...new Set(log.map(entry => entry.host))].some(host => {
    let met = 0
    for (const entry of log) if (entry.host === host && patterns[met]?.test(entry.text)) met += 1
    return met === patterns.length
  })
}

/** As it is written in the scenario. */
const shown = ({ source }: RegExp): string => source.replace(/^\^\(\?:(.*)\)\$$/, '$1')
