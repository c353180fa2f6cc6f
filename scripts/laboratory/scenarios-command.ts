import type { Command } from 'commander'
import { durationMs } from './durations.ts'
import { fault } from './faults.ts'
import { LabError, type Lab } from './lab.ts'
import { untilWhole } from './ring-view.ts'
import { readScenario, scenarioNames, type Scenario } from './scenario-file.ts'
import { failedOutcome, outcomeOf, renderScenario, renderScenarios, reportScenarios, type ScenarioOutcome, type ScenarioResult, type ScenariosReport } from './scenario-report.ts'
import { runScenario, type ScenarioWishes } from './scenario-run.ts'

interface ScenarioOptions { readonly all?: boolean; readonly list?: boolean; readonly runs: string; readonly every: string; readonly rest: string; readonly story?: boolean; readonly json?: boolean }

/** After a run that was not as stated everything is healed. */
const HEAL_LIMIT_MS = 180_000
/** So often in a row the ring may not come back; then no further run would tell anything. */
const LOST_LIMIT = 2

/** `lab scenario`: exit 1 when a run was not as its scenario states. */
export function scenarioCommand(command: Command, open: (command: Command) => Promise<Lab>, say: (text: string) => void, tell: (text: string) => void): void {
  command
    .option('--all', 'every scenario that is written for this ring, but those that are only played by name')
    .option('--list', 'name the scenarios, with their hosts')
    .option('--runs <number>', 'of each', '1')
    .option('--every <duration>', 'period of the clients', '200ms')
    .option('--rest <duration>', 'each run begins so long after the newest boot, when every manager\'s cold start is over', '9s')
    .option('--story', 'print the hosts\' logs of every run, not only of those that were not as stated')
    .option('--json', 'only the report, as ringward.scenarios/1')
    .action(async (names: string[], options: ScenarioOptions, self: Command) => {
      if (options.list) return say(await listing())
      if ((names.length === 0) !== (options.all === true)) throw new LabError('which? name scenarios, or --all; --list tells them', 2)
      const runs = Number(options.runs)
      if (!Number.isInteger(runs) || runs < 1) throw new LabError(`"${options.runs}" is not a number of runs; write for example 5`, 2)
      const wishes = { every_ms: durationMs(options.every), rest_ms: durationMs(options.rest), story: options.story === true }
      const lab = await open(self)
      const began_ms = performance.now()
      const results = await playAll(lab, await choose(lab, names, tell), runs, wishes, options.json ? tell : say)
      const report: ScenariosReport = reportScenarios(results, {
        at: new Date().toISOString(), hosts: lab.hosts.map(host => host.name), interval: lab.settings.interval, every_ms: wishes.every_ms, took_ms: Math.round(performance.now() - began_ms),
      })
      say(options.json ? JSON.stringify(report) : `\n${renderScenarios(report)}`)
      process.exitCode = report.ok ? 0 : 1
    })
}

/** Each so many times; a run that fails is told and is no reason to leave the others out. */
async function playAll(lab: Lab, chosen: readonly (readonly [string, Scenario])[], runs: number, wishes: ScenarioWishes, say: (text: string) => void): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = []
  let lost = 0
  for (const [name, scenario] of chosen) {
    const outcomes: ScenarioOutcome[] = []
    for (let run = 1; run <= runs; run += 1) {
      const outcome = lost < LOST_LIMIT ? await playOnce(lab, name, run, scenario, wishes, say) : failedOutcome('not played: the ring did not come back before')
      outcomes.push(outcome)
      if (!outcome.as_stated && lost < LOST_LIMIT) lost = await comesBack(lab, say) ? 0 : lost + 1
    }
    results.push({ name, title: scenario.title, outcomes })
  }
  return results
}

async function playOnce(lab: Lab, name: string, number: number, scenario: Scenario, wishes: ScenarioWishes, say: (text: string) => void): Promise<ScenarioOutcome> {
  try {
    const run = await runScenario(lab, scenario, wishes)
    say(renderScenario(name, number, run))
    return outcomeOf(run)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    say(`${name} ${number}: NOT PLAYED to its end: ${reason}`)
    return failedOutcome(reason)
  }
}

async function listing(): Promise<string> {
  const names = await scenarioNames()
  const scenarios = await Promise.all(names.map(readScenario))
  return scenarios.map(({ title, hosts, only_by_name }, index) => `${names[index]?.padEnd(30)} ${hosts.join(',').padEnd(22)} ${title}${only_by_name ? ' (only by name)' : ''}`).join('\n')
}

async function choose(lab: Lab, names: readonly string[], tell: (text: string) => void): Promise<(readonly [string, Scenario])[]> {
  const ring = lab.hosts.map(host => host.name).join(',')
  const all = await Promise.all((names.length > 0 ? names : await scenarioNames()).map(async name => [name, await readScenario(name)] as const))
  const others = all.filter(([, { hosts }]) => hosts.join(',') !== ring)
  const [first] = others
  if (names.length > 0 && first) throw new LabError(`${first[0]} is written for the ring ${first[1].hosts.join(',')}; this one is ${ring}: scripts/lab up --hosts ${first[1].hosts.join(',')}`, 2)
  for (const [name, { hosts }] of others) tell(`${name}: not played, it needs the ring ${hosts.join(',')}`)
  return all.filter(each => !others.includes(each) && (names.length > 0 || !each[1].only_by_name))
}

/** So that the next run tells its own story. */
async function comesBack(lab: Lab, say: (text: string) => void): Promise<boolean> {
  try {
    await fault(lab, 'heal', ['all'])
    const missing = await untilWhole(lab, HEAL_LIMIT_MS)
    if (missing.length > 0) say(`the ring did not come back in ${HEAL_LIMIT_MS / 1_000} s after everything was healed: ${missing.join('; ')}`)
    return missing.length === 0
  } catch (error) {
    say(`not everything could be healed: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}
