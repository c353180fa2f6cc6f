import type { Command } from 'commander'
import { durationMs } from './durations.ts'
import { fault } from './faults.ts'
import { LabError, type Lab } from './lab.ts'
import { untilWhole } from './ring-view.ts'
import { readScenario, scenarioNames, type Scenario } from './scenario-file.ts'
import { runScenario, type ScenarioRun } from './scenario-run.ts'

interface ScenarioOptions { readonly all?: boolean; readonly list?: boolean; readonly runs: string; readonly every: string; readonly rest: string; readonly story?: boolean }

/** After a run that was not as stated everything is healed; a ring that does not come back by then ends it all. */
const HEAL_LIMIT_MS = 180_000

/** `lab scenario`: exit 1 when a run was not as its scenario states. */
export function scenarioCommand(command: Command, open: (command: Command) => Promise<Lab>, say: (text: string) => void): void {
  command
    .option('--all', 'every scenario that is written for this ring')
    .option('--list', 'name the scenarios, with their hosts')
    .option('--runs <number>', 'of each', '1')
    .option('--every <duration>', 'period of the clients', '200ms')
    .option('--rest <duration>', 'each run begins so long after the newest boot, when every manager\'s cold start is over', '9s')
    .option('--story', 'print the hosts\' logs of every run, not only of those that were not as stated')
    .action(async (names: string[], options: ScenarioOptions, self: Command) => {
      if (options.list) return say(await listing())
      if ((names.length === 0) !== (options.all === true)) throw new LabError('which? name scenarios, or --all; --list tells them', 2)
      const runs = Number(options.runs)
      if (!Number.isInteger(runs) || runs < 1) throw new LabError(`"${options.runs}" is not a number of runs; write for example 5`, 2)
      const lab = await open(self)
      const chosen = await choose(lab, names, say)
      let wrong = 0
      let played = 0
      for (const [name, scenario] of chosen) for (let run = 1; run <= runs; run += 1) {
        const result = await runScenario(lab, scenario, { every_ms: durationMs(options.every), rest_ms: durationMs(options.rest), story: options.story === true })
        played += 1
        say(renderScenario(name, run, result))
        if (result.unexpected.length === 0) continue
        wrong += 1
        await recover(lab)
      }
      say(`${played - wrong} of ${played} runs as stated`)
      process.exitCode = wrong === 0 ? 0 : 1
    })
}

async function listing(): Promise<string> {
  const names = await scenarioNames()
  const scenarios = await Promise.all(names.map(readScenario))
  return scenarios.map(({ title, hosts }, index) => `${names[index]?.padEnd(30)} ${hosts.join(',').padEnd(22)} ${title}`).join('\n')
}

async function choose(lab: Lab, names: readonly string[], say: (text: string) => void): Promise<(readonly [string, Scenario])[]> {
  const ring = lab.hosts.map(host => host.name).join(',')
  const all = await Promise.all((names.length > 0 ? names : await scenarioNames()).map(async name => [name, await readScenario(name)] as const))
  const others = all.filter(([, { hosts }]) => hosts.join(',') !== ring)
  const [first] = others
  if (names.length > 0 && first) throw new LabError(`${first[0]} is written for the ring ${first[1].hosts.join(',')}; this one is ${ring}: scripts/lab up --hosts ${first[1].hosts.join(',')}`, 2)
  for (const [name, { hosts }] of others) say(`${name}: not played, it needs the ring ${hosts.join(',')}`)
  return all.filter(each => !others.includes(each))
}

/** So that the next run tells its own story. */
async function recover(lab: Lab): Promise<void> {
  await fault(lab, 'heal', ['all'])
  const missing = await untilWhole(lab, HEAL_LIMIT_MS)
  if (missing.length > 0) throw new LabError(`the ring did not come back in ${HEAL_LIMIT_MS / 1_000} s after everything was healed: ${missing.join('; ')}`)
}

/** What happened, in a line; what was not expected and the story of the ring below it. */
export function renderScenario(name: string, number: number, { seen, home_ms, samples, longest_gap_ms, unexpected, story }: ScenarioRun): string {
  const cuts = [...seen.cuts].filter(([, each]) => each.length > 0).map(([host, each]) => `${host} ${each.map(cut => `${cut.ms} ms at ${cut.start.slice(11, 23)}`).join(' + ')}`)
  const claims = [...seen.claims].filter(([, text]) => text !== '').map(([host, text]) => `${host} ${text}`)
  return [
    `${name} ${number}: ${unexpected.length === 0 ? 'as stated' : 'NOT AS STATED'}; claims ${claims.join(', ') || 'none'}; cuts ${cuts.join(', ') || 'none'}; home after ${(home_ms / 1_000).toFixed(1)} s; ${samples} samples, longest gap ${longest_gap_ms} ms`,
    ...unexpected.map(text => `  ! ${text}`), ...(story === '' ? [] : [story]),
  ].join('\n')
}
