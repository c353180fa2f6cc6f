import type { Cut } from './client.ts'
import type { ScenarioRun } from './scenario-run.ts'

/** What came of one run: a `ScenarioRun`, or the words of what kept it from being played to its end. */
export interface ScenarioOutcome {
  readonly as_stated: boolean
  readonly unexpected: readonly string[]
  readonly claims: Readonly<Record<string, string>>
  readonly cuts: Readonly<Record<string, readonly Cut[]>>
  readonly home_ms: number | null
  /** Between two samples of the audit: much more than its period tells of a busy machine. */
  readonly longest_gap_ms: number | null
}

export interface ScenarioResult { readonly name: string; readonly title: string; readonly outcomes: readonly ScenarioOutcome[] }

export interface ScenariosReport {
  readonly schema: 'ringward.scenarios/1'
  readonly at: string
  readonly hosts: readonly string[]
  readonly interval: string
  readonly every_ms: number
  readonly took_ms: number
  readonly ok: boolean
  readonly scenarios: readonly (ScenarioResult & { readonly runs: number; readonly as_stated: number; readonly worst_cut_ms: number })[]
}

export function outcomeOf({ seen, home_ms, longest_gap_ms, unexpected }: ScenarioRun): ScenarioOutcome {
  return { as_stated: unexpected.length === 0, unexpected, claims: Object.fromEntries([...seen.claims].filter(([, text]) => text !== '')), cuts: Object.fromEntries([...seen.cuts].filter(([, cuts]) => cuts.length > 0)), home_ms, longest_gap_ms }
}

/** Of a run that could not be played to its end. */
export function failedOutcome(reason: string): ScenarioOutcome {
  return { as_stated: false, unexpected: [reason], claims: {}, cuts: {}, home_ms: null, longest_gap_ms: null }
}

export function reportScenarios(results: readonly ScenarioResult[], about: Pick<ScenariosReport, 'at' | 'hosts' | 'interval' | 'every_ms' | 'took_ms'>): ScenariosReport {
  const scenarios = results.map(result => ({
    ...result, runs: result.outcomes.length, as_stated: result.outcomes.filter(outcome => outcome.as_stated).length,
    worst_cut_ms: Math.max(0, ...cutsOf(result).map(cut => cut.ms)),
  }))
  return { schema: 'ringward.scenarios/1', ...about, ok: scenarios.every(each => each.as_stated === each.runs), scenarios }
}

const cutsOf = ({ outcomes }: ScenarioResult): Cut[] => outcomes.flatMap(outcome => Object.values(outcome.cuts).flat())

/** What happened, in a line; what was not expected and the story of the ring below it. */
export function renderScenario(name: string, number: number, { seen, home_ms, samples, longest_gap_ms, unexpected, story }: ScenarioRun): string {
  const cuts = [...seen.cuts].filter(([, each]) => each.length > 0).map(([host, each]) => `${host} ${each.map(cut => `${cut.ms} ms at ${cut.start.slice(11, 23)}`).join(' + ')}`)
  const claims = [...seen.claims].filter(([, text]) => text !== '').map(([host, text]) => `${host} ${text}`)
  return [
    `${name} ${number}: ${unexpected.length === 0 ? 'as stated' : 'NOT AS STATED'}; claims ${claims.join(', ') || 'none'}; cuts ${cuts.join(', ') || 'none'}; home after ${(home_ms / 1_000).toFixed(1)} s; ${samples} samples, longest gap ${longest_gap_ms} ms`,
    ...unexpected.map(text => `  ! ${text}`), ...(story === '' ? [] : [story]),
  ].join('\n')
}

/** A row for each scenario, what went otherwise below, and the sum. */
export function renderScenarios({ scenarios, took_ms }: ScenariosReport): string {
  const rows = scenarios.map(each => {
    const homes = each.outcomes.flatMap(({ home_ms }) => home_ms ?? [])
    const gaps = each.outcomes.flatMap(({ longest_gap_ms }) => longest_gap_ms ?? [])
    return [each.name, `${each.as_stated} of ${each.runs}`, each.worst_cut_ms === 0 ? 'none' : seconds(each.worst_cut_ms), homes.length === 0 ? '-' : seconds(Math.max(...homes)), gaps.length === 0 ? '-' : `${Math.max(...gaps)} ms`]
  })
  const table = [['scenario', 'as stated', 'worst cut', 'longest', 'longest gap'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0))) ?? []
  const wrong = scenarios.flatMap(({ name, outcomes }) => outcomes.flatMap((outcome, index) => outcome.as_stated ? [] : [`${name} ${index + 1}:`, ...outcome.unexpected.map(text => `  ! ${text}`)]))
  const sum = (key: 'runs' | 'as_stated'): number => scenarios.reduce((total, each) => total + each[key], 0)
  return [
    ...table.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()), '',
    ...wrong, `${sum('as_stated')} of ${sum('runs')} runs as stated, in ${(took_ms / 60_000).toFixed(1)} minutes`,
  ].join('\n')
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
