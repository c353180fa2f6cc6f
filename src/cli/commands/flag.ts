import { Argument, type Command } from 'commander'
import { placesOf } from '../../configuration/places.ts'
import type { ActionDocument } from '../../control/documents.ts'
import { RingwardError } from '../../errors.ts'
import { pause, type CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { flagStep } from '../flag-file.ts'
import { ANSWER_LIMIT_MS, dryRunOption, jsonOption, waitOption } from '../options.ts'
import { renderAction } from '../render/action.ts'

interface FlagOptions {
  readonly all?: true
  readonly dryRun?: true
  readonly wait?: number
  readonly json?: true
}

const POLL_MS = 100
/** An agent that is up answers at once. */
const POLL_LIMIT_MS = 1_000

export function flagCommand(program: Command, context: CliContext): void {
  program.command('flag').description('start or stop management: on this host, on the hosts named, or on all; the service itself goes on either way')
    .addArgument(new Argument('<state>', 'on: the host joins the ring; off: it leaves it').choices(['on', 'off']))
    .argument('[hosts...]', 'other hosts, reached through this one; none: this host')
    .option('--all', 'every host of the group')
    .addOption(dryRunOption()).addOption(waitOption('wait until management runs, or has ended; for other hosts 100 s at most')).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 4, 124], { 1: 'a host could not be switched', 3: 'hosts were named, and ringward is not running on this one' }))
    .action(async (state: 'on' | 'off', hosts: string[], options: FlagOptions) => {
      if (options.all && hosts.length > 0) throw new RingwardError('USAGE', 'name hosts or say --all, not both; see --help')
      const on = state === 'on'
      const document = options.all || hosts.length > 0 ? await remote(context, on, hosts, options) : await local(context, on, options)
      context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : renderAction(document, context.style))
      context.setExit(document.steps.some(step => step.outcome === 'failed') ? 1 : 0)
    })
}

/** The agent knows the group and has the remote hands. */
async function remote(context: CliContext, on: boolean, hosts: readonly string[], options: FlagOptions): Promise<ActionDocument> {
  const wait_ms = options.wait ?? 0
  const args = { on, hosts, all: options.all ?? false, dry_run: options.dryRun ?? false, wait_ms }
  // Hands to several hosts work side by side; each has its own limit well below this.
  return await context.ask('flag', args, 6 * ANSWER_LIMIT_MS + wait_ms) as ActionDocument
}

async function local(context: CliContext, on: boolean, options: FlagOptions): Promise<ActionDocument> {
  const at = context.clock.wall().toISOString()
  const step = await flagStep(placesOf().flag, on, options.dryRun ?? false, at)
  if (options.wait !== undefined && !options.dryRun) await settled(context, on, options.wait)
  return { schema: 'ringward.action/1', at, verb: on ? 'flag on' : 'flag off', dry_run: options.dryRun ?? false, steps: [step] }
}

/** Until the agent answers, or none does. Rejects with CONTROL_TIMEOUT. */
async function settled(context: CliContext, on: boolean, limit_ms: number): Promise<void> {
  const until_ms = context.clock.boot_ms() + limit_ms
  const wanted = on ? 'up' : 'down'
  while (await agentState(context) !== wanted) {
    if (context.signal.aborted) throw new RingwardError('ABORTED', 'the wait was called off; the flag stands as it was set')
    if (context.clock.boot_ms() >= until_ms) {
      throw new RingwardError('CONTROL_TIMEOUT', `the flag is ${on ? 'set' : 'gone'}, but after ${limit_ms} ms management ${on ? 'does not run' : 'still runs'}; see \`journalctl -t ringward\``)
    }
    await pause(POLL_MS, context.signal)
  }
}

async function agentState(context: CliContext): Promise<'up' | 'down' | 'between'> {
  try {
    await context.ask('status', {}, POLL_LIMIT_MS)
    return 'up'
  } catch (error) {
    if (!(error instanceof RingwardError) || error.code === 'PERMISSION') throw error
    return error.code === 'NOT_RUNNING' ? 'down' : error.code === 'CONTROL_REFUSED' ? 'up' : 'between'
  }
}
