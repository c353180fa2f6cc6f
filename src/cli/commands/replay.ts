import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { RingwardError } from '../../errors.ts'
import { planFile } from '../../simulator/plan-scenario.ts'
import { describeReplay, replay, type ReplayDocument } from '../../simulator/replay.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { jsonOption } from '../options.ts'
import { planOf, seedOfText, withDraw, type Draw } from './simulate.ts'

interface ReplayOptions extends Draw {
  readonly shrink?: boolean
  readonly log?: boolean
  readonly write?: string
  readonly json?: boolean
}

/** As `simulate`, it asks no agent. */
export function replayCommand(program: Command, context: CliContext): void {
  withDraw(program.command('replay'))
    .description('play one schedule of `ringward simulate` again, with one line for each change; with the same --hosts and --faults it goes the same way')
    .argument('<seed>', 'as it was told: s4711', seedOfText)
    .option('--shrink', 'first look for the smallest part of it that breaks the same rule')
    .option('--log', 'also every reason that a host logs')
    .option('--write <file>', 'keep what was played, as the scenario.json of a scenario')
    .addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2], { 0: 'no rule was broken', 1: 'a rule was broken' }))
    .action((seed: number, options: ReplayOptions) => {
      const document = replay(planOf(seed, options), { shrink: options.shrink === true, reasons: options.log === true }, line => { if (!options.json) context.out(`${line}\n`) })
      if (options.write !== undefined) keep(options.write, document)
      context.setExit(document.ok ? 0 : 1)
      context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : `${describeReplay(document)}\n`)
    })
}

/** The title says what it is kept for; a file that is there already is somebody's. */
function keep(path: string, { plan, violations, deviations, ok }: ReplayDocument): void {
  const title = ok ? `Seed ${plan.seed} of the swarm schedules` : `Seed ${plan.seed} of the swarm schedules broke ${violations[0]?.rule ?? 'L3'}: ${violations[0]?.text ?? deviations[0]}`
  try {
    writeFileSync(path, planFile(title, plan), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new RingwardError('USAGE', `${path} is there already; name another file`)
    throw new RingwardError('USAGE', `${path} cannot be written: ${(error as Error).message}; name another file`)
  }
}
