import { Argument, Option, type Command } from 'commander'
import type { ActionDocument } from '../../control/documents.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { ANSWER_LIMIT_MS, dryRunOption, durationValue, jsonOption, waitOption } from '../options.ts'
import { renderAction } from '../render/action.ts'

interface OrderOptions {
  readonly for?: number
  readonly dryRun?: true
  readonly wait?: number
  readonly json?: true
}

const forOption = (): Option => new Option('--for <time>', 'ends by itself after that time, for example 30m, 1h, 2d').argParser(durationValue)

export function maintenanceCommand(program: Command, context: CliContext): void {
  program.command('maintenance').description('empty a host and keep it empty, across reboots, until the time is over or it is taken back')
    .addArgument(new Argument('<state>', 'on: what it gives goes to other hosts first; off: it gets its function back').choices(['on', 'off']))
    .argument('<host>', 'the server')
    .addOption(forOption()).addOption(dryRunOption()).addOption(waitOption('wait until the host gives nothing any more, or gives its function again')).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 124], { 1: 'it was not empty, or not home, in time' }))
    .action((state: 'on' | 'off', host: string, options: OrderOptions) => order(context, 'maintenance', { host, on: state === 'on' }, options))
}

export function holdCommand(program: Command, context: CliContext): void {
  program.command('hold').description('the whole ring watches and does nothing: for work on the network or the shared area')
    .addArgument(new Argument('<state>', 'on: nothing is taken over, moved, restarted or healed; off: the ring acts again').choices(['on', 'off']))
    .addOption(forOption()).addOption(dryRunOption()).addOption(waitOption('wait until this host has seen it on the shared area')).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 124], { 1: 'the order was not seen in time' }))
    .action((state: 'on' | 'off', options: OrderOptions) => order(context, 'hold', { on: state === 'on' }, options))
}

async function order(context: CliContext, verb: string, about: Readonly<Record<string, unknown>>, options: OrderOptions): Promise<void> {
  const wait_ms = options.wait ?? 0
  const args = { ...about, dry_run: options.dryRun ?? false, wait_ms, ...(options.for === undefined ? {} : { for_ms: options.for }) }
  const document = await context.ask(verb, args, 2 * ANSWER_LIMIT_MS + wait_ms) as ActionDocument
  context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : renderAction(document, context.style))
  context.setExit(document.steps.some(step => step.outcome === 'failed') ? 1 : 0)
}
