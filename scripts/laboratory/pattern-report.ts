import { median } from './median.ts'
import type { FunctionRun, PatternRun } from './pattern-run.ts'
import { PATTERNS, type Pattern } from './patterns.ts'

export interface PatternResult {
  readonly name: string
  readonly about: string
  readonly runs: readonly PatternRun[]
  /** Over the functions of all failed hosts and all runs. */
  readonly median_ms: number
  readonly max_ms: number
  /** The same median, each cut less half a second for each resume that went before on the same host. */
  readonly unqueued_median_ms: number
  readonly functions: readonly { readonly name: string; readonly runs: number; readonly median_ms: number; readonly max_ms: number; readonly later_max_ms: number }[]
  /** Most resumes on one host in any run. */
  readonly most_resumes: number
}

/** Something that was promised; null when what it is measured against was not run. */
export interface Clause { readonly text: string; readonly ok: boolean | null }

export interface PatternsReport {
  readonly schema: 'ringward.patterns/1'
  readonly at: string
  readonly hosts: readonly string[]
  readonly interval: string
  readonly standby: string
  readonly every_ms: number
  readonly took_ms: number
  readonly patterns: readonly PatternResult[]
  readonly verdict: { readonly ok: boolean; readonly clauses: readonly Clause[] }
}

const SIMULTANEOUS_FACTOR = 1.3
/** What a resume costs the one behind it. */
const QUEUED_MS = 500
/** P2's slot: an interval, at least a second (protocol 3). */
const LEAST_SLOT_MS = 1_000

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const firstCut = (run: FunctionRun): number => run.cuts_ms[0] ?? 0
/** A failure that no client noticed says nothing about how long one waits. */
const noticed = (runs: readonly FunctionRun[]): readonly FunctionRun[] => runs.filter(run => run.cuts_ms.length > 0)
const longestCut = (run: FunctionRun): number => Math.max(0, ...run.cuts_ms)

export function resultOf(name: string, pattern: Pattern, runs: readonly PatternRun[]): PatternResult {
  const failed = runs.flatMap(run => run.functions.filter(each => run.failures.some(failure => failure.host === each.name)))
  const names = [...new Set(runs.flatMap(run => run.functions.map(each => each.name)))]
  return {
    name, about: pattern.about, runs,
    median_ms: median(noticed(failed).map(firstCut)), max_ms: Math.max(0, ...failed.map(longestCut)), unqueued_median_ms: median(noticed(failed).map(each => firstCut(each) - QUEUED_MS * each.queued)),
    functions: names.flatMap(each => {
      const own = failed.filter(run => run.name === each)
      const all = runs.flatMap(run => run.functions.filter(other => other.name === each))
      const later_max_ms = Math.max(0, ...all.flatMap(run => run.later_ms))
      // A bystander no client of which was ever cut says nothing.
      return own.length === 0 && later_max_ms === 0 ? [] : [{ name: each, runs: own.length, median_ms: median(noticed(own).map(firstCut)), max_ms: Math.max(0, ...own.map(longestCut)), later_max_ms }]
    }),
    most_resumes: Math.max(0, ...runs.flatMap(run => Object.values(run.resumes))),
  }
}

export function judgePatterns(results: readonly PatternResult[], ring: readonly string[], interval_ms: number): PatternsReport['verdict'] {
  const runs = results.flatMap(result => result.runs)
  const single = results.find(result => PATTERNS[result.name]?.judged === 'baseline' && result.runs.length > 0)?.median_ms
  const failed = runs.filter(run => run.error !== undefined && run.violations.length === 0).length
  const broken = runs.filter(run => run.violations.length > 0).length
  const clauses: Clause[] = [
    { text: `every function given again and home in ${runs.length - failed} of ${runs.length} runs`, ok: failed === 0 },
    { text: `audit clean in ${runs.length - broken} of ${runs.length} runs (${runs.reduce((sum, run) => sum + run.samples, 0)} samples, longest gap ${Math.max(0, ...runs.map(run => run.longest_gap_ms))} ms)`, ok: broken === 0 },
  ]
  for (const result of results) {
    const pattern = PATTERNS[result.name]
    if (pattern?.judged === 'simultaneous') clauses.push(within(`${result.name}: median cut ${seconds(result.median_ms)}, less 0.5 s per resume queued`, result.unqueued_median_ms, `1.3 × single`, single === undefined ? undefined : SIMULTANEOUS_FACTOR * single))
    if (pattern?.judged === 'one slot') {
      const judged = result.runs.flatMap(run => run.functions.filter(each => pattern.judges?.(ring).includes(each.name) ?? true))
      clauses.push(within(`${result.name}: median cut of the target`, median(noticed(judged).map(firstCut)), 'single + one slot', single === undefined ? undefined : single + Math.max(interval_ms, LEAST_SLOT_MS)))
    }
  }
  return { ok: clauses.every(clause => clause.ok !== false), clauses }
}

function within(what: string, value_ms: number, against: string, limit_ms: number | undefined): Clause {
  if (limit_ms === undefined) return { text: `${what} ${seconds(value_ms)}; "single" was not run to compare with`, ok: null }
  return { text: `${what} ${seconds(value_ms)} (at most ${seconds(limit_ms)}, ${against})`, ok: value_ms <= limit_ms }
}

/** One line of a run as it ends. */
export function renderRun(name: string, number: number, run: PatternRun): string {
  const functions = run.functions.filter(each => each.cuts_ms.length + each.later_ms.length > 0).map(each => `${each.name} ${each.cuts_ms.join(' + ') || 'none'}${each.later_ms.length > 0 ? `, later ${each.later_ms.join(' + ')}` : ''} ms${each.givers.length > 0 ? ` on ${each.givers.join(' then ')}` : ''}`)
  const state = run.violations.length > 0 ? `; ${run.violations.length} VIOLATIONS` : run.error === undefined ? '' : '; FAILED'
  return `${name} ${number}: cut ${run.failures.map(failure => failure.host).join(', ')}; ${functions.join('; ')}; ${run.incidents} incidents, ${run.home_ms > 0 ? `home after ${seconds(run.home_ms)}` : 'not home'}${state}`
}

/** The table, the functions below each pattern, and the verdict. */
export function renderReport(report: PatternsReport): string {
  const rows = report.patterns.map(result => [
    result.name, `${result.runs.length}`, seconds(result.median_ms), seconds(result.max_ms), seconds(result.unqueued_median_ms), `${result.most_resumes}`,
    `${median(result.runs.map(run => run.incidents))}`, seconds(median(result.runs.filter(run => run.home_ms > 0).map(run => run.home_ms))), `${result.runs.reduce((sum, run) => sum + run.violations.length, 0)}`,
    result.functions.map(each => each.runs === 0 ? `${each.name} (never failed) ${seconds(each.later_max_ms)}` : `${each.name} ${seconds(each.median_ms)}/${seconds(each.max_ms)}`).join('  '),
  ])
  const table = [['pattern', 'runs', 'median', 'max', 'less queue', 'resumes', 'incidents', 'home', 'violations', 'functions: median/max'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map(row => (row[column] ?? '').length))) ?? []
  const verdict = !report.verdict.ok ? 'NOT as promised' : report.verdict.clauses.some(clause => clause.ok === null) ? 'as promised as far as it was judged' : 'as promised'
  const marks = { true: 'ok  ', false: 'NOT ', null: '?   ' } as const
  return [
    ...table.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()), '',
    '(cut of the failed hosts\' clients; "less queue": median less 0.5 s per resume that went before on the same host; "resumes": most on one host)', '',
    ...report.verdict.clauses.map(clause => `${marks[`${clause.ok}`]} ${clause.text}`),
    `VERDICT ${verdict}: ${report.patterns.reduce((sum, result) => sum + result.runs.length, 0)} runs in ${(report.took_ms / 60_000).toFixed(1)} minutes`,
  ].join('\n')
}
