/**
 * `npm run simulate -- --schedules 1000 [--seed 1] [--hosts 6] [--faults 1] [--fault NAME] [--target HOST] [--power none|some|all] [--agentless NAME,…] [--power-command] [--jobs 1] [--log]`
 * `--power`: which hosts have a power controller; without it, some in every fourth schedule.
 * `--ride majority`: by the second policy of R8.
 * `--faults` is how many random faults each schedule has. With a range (`--hosts 3-12 --faults 1-11`) hosts, pattern, faults and room
 * are drawn from each seed: bursts within a second, waves into recoveries, faults at any time, n−1 of n hosts at most.
 * `--swarm`: the schedules of `ringward simulate`, five minutes each; `--schedules`, `--seed`, `--hosts`, `--faults`, `--ride`, `--jobs` and `--seconds` (at most) go with it, and `--coverage`: which branches of the core were taken.
 * Ends with 1 on any violation of S1–S7, L1, L2, or any layout that did not return to policy (L3).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { coverageOf, describeCoverage } from './branch-coverage.ts'
import { parseRide } from '../core/inventory.ts'
import type { RidePolicy } from '../core/inventory.ts'
import { FAULTS_BY_NAME, type FaultName } from './faults.ts'
import { logLine } from './log-line.ts'
import { parseRange, type Range } from './plan.ts'
import { runPlan, runSchedule, type ScheduleResult } from './schedule.ts'
import { describeFailure, describeReport, enough, playAll, playShare, work } from './swarm-run.ts'
import { SWARM_FAULTS, SWARM_HOSTS } from './swarm.ts'

interface Wishes {
  readonly schedules: number
  readonly seed: number
  readonly hosts: Range
  readonly faults: Range
  /** Everything is drawn from the seed. */
  readonly drawn: boolean
  readonly fault?: FaultName
  readonly target?: string
  readonly power?: 'none' | 'some' | 'all'
  readonly ride?: RidePolicy
  readonly agentless: readonly string[]
  readonly power_command: boolean
  readonly jobs: number
  readonly log: boolean
  /** Set for a worker: the share of the seeds it plays, told as a JSON line each. */
  readonly share?: number
}

/** What is kept of one schedule, small enough to be sent between processes by the ten thousand. */
interface Outcome {
  readonly kind: string
  readonly cut_ms: number
  readonly policy_ms: number
  readonly events: number
  readonly worst: ScheduleResult['worst']
  readonly seed: number
  readonly failure: readonly string[]
}

function wishes(): Wishes | string {
  const { values } = parseArgs({ options: {
    schedules: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, hosts: { type: 'string', default: '6' }, fault: { type: 'string' }, target: { type: 'string' },
    faults: { type: 'string', default: '1' }, power: { type: 'string' }, ride: { type: 'string' }, agentless: { type: 'string', default: '' }, 'power-command': { type: 'boolean', default: false }, jobs: { type: 'string', default: '1' }, log: { type: 'boolean', default: false }, share: { type: 'string' },
  } })
  const fault = FAULTS_BY_NAME.find(name => name === values.fault)
  if (values.fault !== undefined && fault === undefined) return `unknown fault ${values.fault}; known: ${FAULTS_BY_NAME.join(', ')}`
  const power = (['none', 'some', 'all'] as const).find(name => name === values.power)
  if (values.power !== undefined && power === undefined) return `unknown word ${values.power}; known: none, some, all`
  const ride = parseRide(values.ride)
  if (values.ride !== undefined && ride === undefined) return `unknown word ${values.ride}; known: all, majority`
  const [hosts, faults] = [parseRange(values.hosts), parseRange(values.faults)]
  if (!hosts || !faults) return '--hosts and --faults take a number or a range, as in 3-12'
  const drawn = values.hosts.includes('-') || values.faults.includes('-')
  if (drawn && (values.fault !== undefined || values.target !== undefined)) return '--fault and --target go with single numbers of --hosts and --faults'
  if (hosts.least < 2 || hosts.most > 12) return 'the sample ring has 2 to 12 hosts'
  return {
    schedules: Number(values.schedules), seed: Number(values.seed), hosts, faults, drawn, jobs: Number(values.jobs), log: values.log,
    agentless: values.agentless.split(',').filter(Boolean), power_command: values['power-command'], ...(power ? { power } : {}), ...(ride ? { ride } : {}), ...(fault ? { fault } : {}), ...(values.target === undefined ? {} : { target: values.target }), ...(values.share === undefined ? {} : { share: Number(values.share) }),
  }
}

function runOne(wished: Wishes, seed: number): Outcome {
  const log = wished.log ? { onLog: (at_ms: number, host: string, text: string) => console.log(logLine(at_ms, host, text)) } : {}
  const { fault, target, hosts, faults, power, agentless, power_command } = wished
  const ride = wished.ride ? { ride: wished.ride } : {}
  const played = wished.drawn ? runPlan({ seed, hosts, faults, ...(power ? { power } : {}), ...ride, ...log }) : undefined
  const result = played ?? runSchedule({ seed, hosts: hosts.least, count: faults.least, agentless, power_command, ...(power ? { power } : {}), ...ride, ...(fault ? { faults: [fault] } : {}), ...(target === undefined ? {} : { targets: [target] }), ...log })
  const told = played
    ? `${played.plan.hosts} hosts, ${played.plan.pattern}, ${Math.round(played.plan.free_kb / 1024)} MB: ${played.plan.faults.map(strike => `${(strike.after_ms / 1000).toFixed(1)} s ${strike.fault} ${strike.target}`).join(', ')}`
    : `${result.fault} ${result.target}`
  const wrong = [...result.violations.map(({ rule, at_ms, text }) => `  ${rule} at ${at_ms} ms: ${text}`), ...result.deviations.map(text => `  L3, not policy: ${text}`)]
  return {
    kind: played ? `${played.plan.pattern}, ${played.plan.hosts} hosts` : result.fault, cut_ms: result.cut_ms, policy_ms: result.policy_ms, events: result.events, worst: result.worst, seed,
    failure: wrong.length > 0 ? [`seed ${seed} (${told}):`, ...wrong] : [],
  }
}

/** Every `jobs`-th seed: so all workers have the same mixture. */
function runShare(wished: Wishes, share: number, tell: (outcome: Outcome) => void): void {
  for (let seed = wished.seed + share; seed < wished.seed + wished.schedules; seed += wished.jobs) tell(runOne(wished, seed))
}

class Tally {
  private readonly kinds = new Map<string, Outcome[]>()
  failures = 0
  private events = 0
  private total = 0

  add(outcome: Outcome): void {
    const kind = this.kinds.get(outcome.kind)
    if (kind) kind.push(outcome)
    else this.kinds.set(outcome.kind, [outcome])
    this.events += outcome.events
    this.total += 1
    if (outcome.failure.length === 0) return
    this.failures += 1
    console.error(outcome.failure.join('\n'))
  }

  print(seconds: number): void {
    const percentile = (values: number[], share: number): string => String(values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0).padStart(8)
    console.log(`${'first fault, or pattern'.padEnd(26)}  schedules  cut p50    p99    max  policy p50     max  [ms of virtual time]`)
    for (const [kind, outcomes] of [...this.kinds].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))) {
      const cuts_ms = outcomes.map(outcome => outcome.cut_ms)
      const policy_ms = outcomes.map(outcome => Math.round(outcome.policy_ms))
      console.log(`${kind.padEnd(26)} ${String(outcomes.length).padStart(10)} ${[0.5, 0.99, 1].map(share => percentile(cuts_ms, share)).join('')} ${[0.5, 1].map(share => percentile(policy_ms, share)).join('')}`)
    }
    const nearest = [...this.kinds.values()].flat().filter(outcome => outcome.worst).sort((a, b) => margin_ms(a) - margin_ms(b))[0]
    if (nearest?.worst) console.log(`nearest to its bound (L1): seed ${nearest.seed}, ${nearest.worst.function} after ${Math.round(nearest.worst.took_ms)} ms of ${Math.round(nearest.worst.bound_ms)} ms`)
    console.log(`${this.total} schedules in ${seconds.toFixed(1)} s: ${(this.total / seconds).toFixed(1)} schedules/s, ${Math.round(this.events / seconds / 1000)} thousand events/s`)
    console.log(`${this.failures} schedules with violations of S1-S7, L1, L2 or without return to policy (L3)`)
  }
}

const margin_ms = ({ worst }: Outcome): number => (worst ? worst.bound_ms - worst.took_ms : Infinity)

async function main(): Promise<void> {
  const wished = wishes()
  if (typeof wished === 'string') {
    console.error(wished)
    process.exitCode = 2
    return
  }
  if (wished.share !== undefined) return runShare(wished, wished.share, outcome => console.log(JSON.stringify(outcome)))
  const tally = new Tally()
  const started_ms = performance.now()
  if (wished.jobs === 1) runShare(wished, 0, outcome => tally.add(outcome))
  else await Promise.all(Array.from({ length: wished.jobs }, (_, share) => work({ command: workerArguments }, share, line => tally.add(JSON.parse(line) as Outcome))))
  tally.print((performance.now() - started_ms) / 1000)
  if (tally.failures > 0) process.exitCode = 1
}

/** Without ranges those of `ringward simulate`. */
async function mainOfSwarm(): Promise<void> {
  const { values } = parseArgs({ options: {
    swarm: { type: 'boolean' }, schedules: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, hosts: { type: 'string' }, faults: { type: 'string' }, jobs: { type: 'string', default: '1' }, ride: { type: 'string' }, share: { type: 'string' }, seconds: { type: 'string' }, coverage: { type: 'boolean', default: false },
  } })
  const ride = parseRide(values.ride)
  const wished = {
    schedules: Number(values.schedules), seed: Number(values.seed), jobs: Number(values.jobs), ...ride === undefined ? {} : { ride },
    hosts: parseRange(values.hosts ?? '') ?? SWARM_HOSTS, faults: parseRange(values.faults ?? '') ?? SWARM_FAULTS,
  }
  const ending = new AbortController()
  const { signal } = ending
  // Hours are not lost by Ctrl-C: what was played is told.
  process.once('SIGINT', () => ending.abort()).once('SIGTERM', () => ending.abort())
  const isOver = enough(signal, values.seconds === undefined ? undefined : Number(values.seconds), () => performance.now())
  if (values.share !== undefined) return playShare(wished, Number(values.share), told => console.log(JSON.stringify(told)), isOver)
  const began_ms = performance.now()
  const folder = values.coverage ? mkdtempSync(join(tmpdir(), 'ringward-coverage-')) : undefined
  const report = await playAll(wished, { command: workerArguments, ...folder === undefined ? {} : { environment: { NODE_V8_COVERAGE: folder } } }, failure => console.error(describeFailure(failure, wished)), signal, isOver)
  const document = report.document(wished, (performance.now() - began_ms) / 1000)
  console.log(describeReport(document))
  if (folder !== undefined) {
    console.log(describeCoverage(coverageOf(folder)))
    rmSync(folder, { recursive: true })
  }
  if (!document.ok) process.exitCode = 1
}

const workerArguments = (share: number): string[] => [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--share', String(share)]

await (process.argv.includes('--swarm') ? mainOfSwarm() : main())
