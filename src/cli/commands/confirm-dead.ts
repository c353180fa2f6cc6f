import type { Command } from 'commander'
import type { ActionDocument } from '../../control/documents.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { ANSWER_LIMIT_MS, dryRunOption, jsonOption, waitOption } from '../options.ts'
import { renderAction } from '../render/action.ts'

interface ConfirmDeadOptions {
  readonly dryRun?: true
  readonly wait?: number
  readonly json?: true
}

export function confirmDeadCommand(program: Command, context: CliContext): void {
  program.command('confirm-dead').description('say that a host has stopped for certain, so that others give what it gave, without any other proof')
    .argument('<host>', 'the host you have seen to be off')
    .addOption(dryRunOption()).addOption(waitOption('wait until others give what it gave')).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 4, 124], { 1: 'a function was not given again in time', 4: 'the host renews its lease or answers pings' }))
    .action(async (host: string, options: ConfirmDeadOptions) => {
      const wait_ms = options.wait ?? 0
      const document = await context.ask('confirm-dead', { host, dry_run: options.dryRun ?? false, wait_ms }, 2 * ANSWER_LIMIT_MS + wait_ms) as ActionDocument
      context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : renderAction(document, context.style))
      context.setExit(document.steps.some(step => step.outcome === 'failed') ? 1 : 0)
    })
}
