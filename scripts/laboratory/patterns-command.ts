import type { Command } from 'commander'
import { durationMs } from './durations.ts'
import { fault } from './faults.ts'
import { LabError, type Lab } from './lab.ts'
import { judgePatterns, renderReport, renderRun, resultOf, type PatternResult, type PatternsReport } from './pattern-report.ts'
import { runPattern, type PatternRun, type RunWishes } from './pattern-run.ts'
import { PATTERNS } from './patterns.ts'
import { untilWhole } from './ring-view.ts'

interface PatternsOptions { readonly runs: string; readonly every: string; readonly rest: string; readonly json?: boolean }

/** Phases of the interval are hit evenly by starting at these fractions of a second. */
const PHASES_MS = [0, 370, 740, 110, 480, 850, 220, 590, 960, 330]
/** After a failed run everything is healed; a ring that does not come back by then ends the measurement. */
const HEAL_LIMIT_MS = 90_000

/** `lab patterns`: exit 1 when a run failed or an invariant was broken; times alone never fail it. */
export function patternsCommand(command: Command, open: (command: Command) => Promise<Lab>, say: (text: string) => void, tell: (text: string) => void): void {
  command
    .option('--runs <number>', 'of each', '5')
    .option('--every <duration>', 'period of the clients', '100ms')
    .option('--rest <duration>', 'each run begins so long after the newest boot, when every manager\'s cold start is over', '9s')
    .option('--json', 'only the report, as ringward.patterns/1')
    .addHelpText('after', `\nPatterns (all, unless some are named):\n${Object.entries(PATTERNS).map(([name, each]) => `  ${name.padEnd(28)} ${each.about}`).join('\n')}`)
    .action(async (names: string[], options: PatternsOptions, self: Command) => {
      const lab = await open(self)
      const runs = Number(options.runs)
      if (!Number.isInteger(runs) || runs < 1) throw new LabError(`"${options.runs}" is not a number of runs; write for example 5`, 2)
      const report = await measurePatterns(lab, chosen(lab, names, tell), runs, { every_ms: durationMs(options.every), rest_ms: durationMs(options.rest) }, options.json ? tell : say)
      say(options.json ? JSON.stringify(report) : `\n${renderReport(report)}`)
      process.exitCode = report.patterns.some(result => result.runs.some(run => run.error !== undefined)) ? 1 : 0
    })
}

function chosen(lab: Lab, names: readonly string[], tell: (text: string) => void): string[] {
  const unknown = names.filter(name => !Object.hasOwn(PATTERNS, name))
  if (unknown.length > 0) throw new LabError(`unknown pattern ${unknown.join(', ')}; known are ${Object.keys(PATTERNS).join(', ')}`, 2)
  return Object.keys(PATTERNS).filter(name => names.length === 0 || names.includes(name)).filter(name => {
    const least = PATTERNS[name]?.least ?? 0
    if (lab.hosts.length < least) tell(`${name} needs a ring of ${least} hosts`)
    return lab.hosts.length >= least
  })
}

async function measurePatterns(lab: Lab, names: readonly string[], runs: number, wishes: Omit<RunWishes, 'phase_ms'>, tell: (text: string) => void): Promise<PatternsReport> {
  const began_ms = performance.now()
  const patterns: PatternResult[] = []
  for (const name of names) {
    const done: PatternRun[] = []
    for (let run = 0; run < runs; run += 1) {
      const result = await runPattern(lab, PATTERNS[name]!, { ...wishes, phase_ms: PHASES_MS[run % PHASES_MS.length] ?? 0 })
      done.push(result)
      tell(renderRun(name, run + 1, result))
      if (result.error !== undefined) {
        tell(result.error)
        if (!await recover(lab, tell)) return reportOf(lab, [...patterns, resultOf(name, PATTERNS[name]!, done)], wishes.every_ms, began_ms)
      }
    }
    patterns.push(resultOf(name, PATTERNS[name]!, done))
  }
  return reportOf(lab, patterns, wishes.every_ms, began_ms)
}

/** Heals everything after a failed run, so that the next one tells its own story. */
async function recover(lab: Lab, tell: (text: string) => void): Promise<boolean> {
  await fault(lab, 'heal', ['all'])
  const missing = await untilWhole(lab, HEAL_LIMIT_MS)
  if (missing.length > 0) tell(`the ring did not come back in ${HEAL_LIMIT_MS / 1_000} s, the measurement ends: ${missing.join('; ')}`)
  return missing.length === 0
}

function reportOf(lab: Lab, patterns: readonly PatternResult[], every_ms: number, began_ms: number): PatternsReport {
  const hosts = lab.hosts.map(host => host.name)
  return {
    schema: 'ringward.patterns/1', at: new Date().toISOString(), hosts, interval: lab.settings.interval, standby: lab.settings.standby,
    every_ms, took_ms: Math.round(performance.now() - began_ms), patterns, verdict: judgePatterns(patterns, hosts, durationMs(lab.settings.interval)),
  }
}
