import type { Command } from 'commander'
import { init, KEYS_DIRECTORY } from '../../configuration/init.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { limited } from '../limited.ts'
import { jsonOption } from '../options.ts'

export function initCommand(program: Command, context: CliContext): void {
  program.command('init').description('make the skeleton of a shared area and the keys of a new ring; what is there already is kept')
    .argument('<directory>', 'the shared area, or an empty folder to be copied there')
    .option('--keys <directory>', 'where the keys go, away from the shared area', KEYS_DIRECTORY)
    .addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 4, 124]))
    .action(async (directory: string, options: { readonly keys: string; readonly json?: true }) => {
      const { created, kept } = await limited(`making ${directory}`, init(directory, { keys_directory: options.keys }))
      if (options.json) return context.out(`${JSON.stringify({ schema: 'ringward.init/1', created, kept }, null, 2)}\n`)
      for (const path of created) context.out(`${context.style('good', 'made')}  ${path}\n`)
      for (const path of kept) context.out(`${context.style('faint', 'kept')}  ${path}\n`)
      context.out(`Next: write group.toml and servers/ in ${directory}, copy the keys to /etc/ringward/keys/ of each host, run \`ringward join\` there, then \`ringward check\` and \`ringward publish\`.\n`)
    })
}
