import { InvalidArgumentError, Option, type Command } from 'commander'
import { RIDE_POLICIES, type RidePolicy } from '../../core/inventory.ts'
import { parseRange, type Range } from '../../simulator/plan.ts'
import { drawSwarm, SWARM_FAULTS, SWARM_HOSTS, type SwarmPlan } from '../../simulator/swarm.ts'
import { describeFailure, describeReport, enough, playAll, playShare, rangeText } from '../../simulator/swarm-run.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { jsonOption } from '../options.ts'

const SCHEDULES_DEFAULT = 20
const SCHEDULES_MOST = 10_000_000
const SEED_MOST = 2 ** 31 - 1
const JOBS_MOST = 64
/** A week. */
const SECONDS_MOST = 604_800
/** Of the sample ring. */
const HOSTS_MOST = 12
/** In one schedule of five minutes. */
const FAULTS_MOST = 100

interface SimulateOptions {
  readonly schedules: number
  readonly seed: number
  readonly hosts: Range
  readonly faults: Range
  readonly jobs: number
  readonly ride?: RidePolicy
  readonly seconds?: number
  readonly share?: number
  readonly json?: boolean
}

/** The same core as the agent's, in virtual time; asks no agent and touches nothing. */
export function simulateCommand(program: Command, context: CliContext): void {
  withDraw(program.command('simulate'))
    .description('play random fault schedules on a simulated ring: five minutes of faults each, then quiet until the layout is policy again')
    .option('--schedules <number>', 'how many', whole('schedules', SCHEDULES_MOST), SCHEDULES_DEFAULT)
    .option('--seed <seed>', 'of the first one; the others follow', whole('a seed', SEED_MOST), 1)
    .option('--jobs <number>', 'processes to share them', whole('jobs', JOBS_MOST), 1)
    .option('--seconds <number>', 'begin none after so many seconds, however many are left', whole('seconds', SECONDS_MOST))
    .addOption(new Option('--share <number>', 'a worker').argParser(Number).hideHelp())
    .addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2], { 0: 'no rule was broken', 1: 'a rule was broken; the seeds are told' }))
    .action(async (options: SimulateOptions) => {
      const began_ms = context.clock.boot_ms()
      const isOver = enough(context.signal, options.seconds, () => context.clock.boot_ms())
      if (options.share !== undefined) return playShare(options, options.share, told => context.out(`${JSON.stringify(told)}\n`), isOver)
      const report = await playAll(options, { command: share => workerArguments(options, share) }, failure => context.error(`${describeFailure(failure, options)}\n`), context.signal, isOver)
      const document = report.document(options, (context.clock.boot_ms() - began_ms) / 1_000)
      context.setExit(document.ok ? 0 : 1)
      context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : `${describeReport(document)}\n`)
    })
}

/** This very program again, for one share. */
function workerArguments({ schedules, seed, jobs, hosts, faults, ride, seconds }: SimulateOptions, share: number): string[] {
  const told = { schedules, seed, jobs, hosts: rangeText(hosts), faults: rangeText(faults), ...ride === undefined ? {} : { ride }, ...seconds === undefined ? {} : { seconds }, share }
  return [process.argv[1]!, 'simulate', ...Object.entries(told).flatMap(([name, value]) => [`--${name}`, String(value)])]
}

export interface Draw {
  readonly hosts: Range
  readonly faults: Range
  readonly ride?: RidePolicy
}

/** What a schedule is drawn from, beside its seed. */
export function withDraw(command: Command): Command {
  return command
    .option('--hosts <range>', `hosts of the ring, as in 3-6 (2 to ${HOSTS_MOST})`, range(2, HOSTS_MOST), SWARM_HOSTS)
    .option('--faults <range>', 'faults of a schedule, as in 3-12', range(SWARM_FAULTS.least, FAULTS_MOST), SWARM_FAULTS)
    .addOption(new Option('--ride <policy>', 'whose promises carry a function through an outage of the shared area').choices(RIDE_POLICIES))
}

/** As `simulate` tells it: `s4711`. A number alone is kept for what `incidents` counts. */
export function seedOfText(text: string): number {
  if (/^\d+$/.test(text)) throw new InvalidArgumentError(`A number alone would be a past incident, which this version does not replay; the schedule of that seed is s${text}.`)
  if (!text.startsWith('s')) throw new InvalidArgumentError('Write the seed as `ringward simulate` tells it, as in s4711.')
  return whole('a seed after the s', SEED_MOST)(text.slice(1))
}

export const planOf = (seed: number, { hosts, faults, ride }: Draw): SwarmPlan => drawSwarm(seed, hosts, faults, ride)

function range(least: number, most: number): (text: string) => Range {
  return text => {
    const found = parseRange(text)
    if (!found || found.least < least || found.most > most) throw new InvalidArgumentError(`Write a number or a range from ${least} to ${most}, as in ${least}-${most}.`)
    return found
  }
}

function whole(what: string, most: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d{1,10}$/.test(text) || value < 1 || value > most) throw new InvalidArgumentError(`Write ${what} as a whole number from 1 to ${most}.`)
    return value
  }
}
