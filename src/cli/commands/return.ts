import type { Command } from 'commander'
import type { ActionDocument } from '../../control/documents.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { ANSWER_LIMIT_MS, dryRunOption, jsonOption, waitOption } from '../options.ts'
import { renderAction } from '../render/action.ts'

interface ReturnOptions {
  readonly dryRun?: true
  readonly wait?: number
  readonly json?: true
}

export function returnCommand(program: Command, context: CliContext): void {
  program.command('return').description('let a function go back to its own server, for servers with return = "manual"')
    .argument('<host>', 'the server that is back and healthy')
    .addOption(dryRunOption()).addOption(waitOption('wait until the server gives its function')).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 4, 124], { 1: 'it did not return in time', 4: 'the server is not in the ring' }))
    .action(async (host: string, options: ReturnOptions) => {
      const wait_ms = options.wait ?? 0
      const document = await context.ask('return', { host, dry_run: options.dryRun ?? false, wait_ms }, 2 * ANSWER_LIMIT_MS + wait_ms) as ActionDocument
      context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : renderAction(document, context.style))
      context.setExit(document.steps.some(step => step.outcome === 'failed') ? 1 : 0)
    })
}
