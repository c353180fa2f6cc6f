/** Plays swarm schedules in one process or several, and says what came of them: one code for `npm run simulate -- --swarm` and `ringward simulate`. */
import { start } from '../edges/command.ts'
import { LineReader } from '../edges/lines.ts'
import { ModeCoverage, type ModeCounts } from './mode-coverage.ts'
import type { RidePolicy } from '../core/inventory.ts'
import type { Range } from './plan.ts'
import { runSwarm } from './schedule.ts'
import { describeFault, drawSwarm, type SwarmPlan } from './swarm.ts'

export interface SwarmWishes {
  readonly schedules: number
  readonly seed: number
  readonly hosts: Range
  readonly faults: Range
  readonly jobs: number
  readonly ride?: RidePolicy
}

export interface SwarmFailure {
  readonly seed: number
  readonly hosts: number
  readonly faults: readonly string[]
  readonly violations: readonly string[]
  readonly deviations: readonly string[]
}

/** Of one schedule, small enough to be sent between processes. */
interface SwarmOutcome {
  readonly events: number
  readonly virtual_ms: number
  readonly kinds: readonly string[]
  readonly failure?: SwarmFailure
}

/** What a worker tells, one JSON line each: an outcome, and at its end what it has been through. */
export type Told = SwarmOutcome | { readonly modes: ModeCounts }

/** Every `jobs`-th seed from `share` on, so that all workers have the same mixture; until `isOver` says that it is enough. */
export async function playShare({ seed: first, schedules, jobs, hosts, faults, ride }: SwarmWishes, share: number, tell: (told: Told) => void, isOver: () => boolean): Promise<void> {
  const coverage = new ModeCoverage()
  for (let seed = first + share; seed < first + schedules && !isOver(); seed += jobs) {
    tell(playOne(drawSwarm(seed, hosts, faults, ride), coverage))
    // Between two schedules the process hears of Ctrl-C.
    await new Promise(resolve => setImmediate(resolve))
  }
  tell({ modes: coverage.counts })
}

/** Ctrl-C, or so many seconds since then. */
export function enough(signal: AbortSignal, seconds: number | undefined, now_ms: () => number): () => boolean {
  const ends_ms = seconds === undefined ? Infinity : now_ms() + seconds * 1_000
  return () => signal.aborted || now_ms() >= ends_ms
}

/** A core that throws has failed the schedule, not the run. */
function playOne(plan: SwarmPlan, coverage: ModeCoverage): SwarmOutcome {
  try {
    return playThrough(plan, coverage)
  } catch (error) {
    const failure = { seed: plan.seed, hosts: plan.hosts, faults: plan.faults.map(describeFault), violations: [`the schedule ended early: ${String(error)}`], deviations: [] }
    return { events: 0, virtual_ms: 0, kinds: [], failure }
  }
}

function playThrough(plan: SwarmPlan, coverage: ModeCoverage): SwarmOutcome {
  const { violations, deviations, events, virtual_ms } = runSwarm(plan, { onWorld: world => { world.onEvent = (host, event) => coverage.note(host, event) } })
  const told = { events, virtual_ms, kinds: [...new Set(plan.faults.map(({ fault }) => fault))] }
  if (violations.length + deviations.length === 0) return told
  return { ...told, failure: { seed: plan.seed, hosts: plan.hosts, faults: plan.faults.map(describeFault), violations: violations.map(({ rule, at_ms, text }) => `${rule} at ${at_ms} ms: ${text}`), deviations } }
}

export class SwarmReport {
  readonly coverage = new ModeCoverage()
  readonly failures: SwarmFailure[] = []
  readonly kinds = new Map<string, number>()
  total = 0
  private events = 0
  private virtual_ms = 0

  add(told: Told): void {
    if ('modes' in told) return this.coverage.add(told.modes)
    this.total += 1
    this.events += told.events
    this.virtual_ms += told.virtual_ms
    for (const kind of told.kinds) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1)
    if (told.failure) this.failures.push(told.failure)
  }

  document({ seed, jobs }: SwarmWishes, seconds: number): SwarmDocument {
    const { total, failures, coverage, kinds } = this
    return {
      schema: 'ringward.simulation/1', ok: failures.length === 0, schedules: total, seed, jobs, seconds: Math.round(seconds * 10) / 10,
      schedules_per_second: Math.round(total / seconds * 10) / 10, events_per_second: Math.round(this.events / seconds), virtual_hours: Math.round(this.virtual_ms / 36_000) / 100,
      failures, kinds: Object.fromEntries([...kinds].sort()), modes: coverage.counts, modes_met: coverage.met, modes_missing: coverage.missing().map(({ mode, event }) => `${mode} × ${event}`),
    }
  }
}

export interface SwarmDocument {
  readonly schema: 'ringward.simulation/1'
  readonly ok: boolean
  readonly schedules: number
  readonly seed: number
  readonly jobs: number
  readonly seconds: number
  readonly schedules_per_second: number
  readonly events_per_second: number
  readonly virtual_hours: number
  readonly failures: readonly SwarmFailure[]
  /** In how many schedules each kind of fault struck. */
  readonly kinds: Readonly<Record<string, number>>
  readonly modes: ModeCounts
  readonly modes_met: number
  readonly modes_missing: readonly string[]
}

/** How this program is started again for one share of the work; each keeps its own time. */
export interface Workers {
  readonly command: (share: number) => readonly string[]
  /** With one even a single job is a process of its own. */
  readonly environment?: Readonly<Record<string, string>>
}

/** The report of all shares; with several jobs each is a process of its own. Rejects when one of them dies. */
export async function playAll(wished: SwarmWishes, workers: Workers, onFailure: (failure: SwarmFailure) => void, signal: AbortSignal, isOver: () => boolean): Promise<SwarmReport> {
  const report = new SwarmReport()
  const tell = (told: Told): void => {
    report.add(told)
    if ('failure' in told && told.failure) onFailure(told.failure)
  }
  if (wished.jobs === 1 && !workers.environment) await playShare(wished, 0, tell, isOver)
  else await Promise.all(Array.from({ length: wished.jobs }, (_, share) => work(workers, share, line => tell(JSON.parse(line) as Told), signal)))
  return report
}

/** Characters: twenty violations and every deviation of twelve hosts, with room. */
const LINE_LIMIT = 200_000

/** One process; its lines are told, and one that dies fails the whole run. */
export function work({ command, environment = {} }: Workers, share: number, onLine: (line: string) => void, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = start(process.execPath, [...process.execArgv, ...command(share)], { stderr: 'inherit', directory: process.cwd(), environment })
    const end = (): void => void worker.kill()
    signal?.addEventListener('abort', end, { once: true })
    const lines = new LineReader(LINE_LIMIT, onLine, () => {
      end()
      reject(new Error('a worker tells too much of one schedule'))
    })
    worker.stdout!.setEncoding('utf8').on('data', (text: string) => lines.feed(text))
    worker.on('error', reject)
    worker.on('close', code => {
      signal?.removeEventListener('abort', end)
      if (code === 0 || signal?.aborted) resolve()
      else reject(new Error(`a worker ended with ${code}`))
    })
  })
}

/** For people. */
export function describeReport(document: SwarmDocument): string {
  const { schedules, seconds, schedules_per_second, events_per_second, virtual_hours, failures, kinds, modes_met, modes_missing } = document
  return [
    `${schedules} schedules, ${virtual_hours} hours of virtual time, in ${seconds} s: ${schedules_per_second} schedules/s, ${Math.round(events_per_second / 1_000)} thousand events/s`,
    `kinds of faults: ${Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
    `${modes_met} pairs of mode and event met${modes_missing.length > 0 ? `; never: ${modes_missing.join(', ')}` : ''}`,
    `${failures.length} schedules with violations of S1-S7, L1, L2 or without return to policy (L3)`,
  ].join('\n')
}

export function describeFailure({ seed, hosts, faults, violations, deviations }: SwarmFailure, wished: SwarmWishes): string {
  return [`seed ${seed} (${hosts} hosts: ${faults.join(', ')}); ringward replay s${seed} --hosts ${rangeText(wished.hosts)} --faults ${rangeText(wished.faults)}${wished.ride === undefined ? '' : ` --ride ${wished.ride}`}:`, ...violations.map(text => `  ${text}`), ...deviations.map(text => `  L3, not policy: ${text}`)].join('\n')
}

export const rangeText = ({ least, most }: Range): string => `${least}-${most}`
