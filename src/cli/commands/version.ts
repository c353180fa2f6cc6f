import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { jsonOption } from '../options.ts'
import { VERSION } from '../version.ts'

export function versionCommand(program: Command, context: CliContext): void {
  program.command('version').description('print the version of this command and of the runtime under it')
    .addOption(jsonOption()).addHelpText('after', exitCodesHelp([0, 2]))
    .action((options: { readonly json?: true }) => {
      const document = { schema: 'ringward.version/1', version: VERSION, node: process.version }
      context.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : `ringward ${VERSION} (node ${process.version})\n`)
    })
}
