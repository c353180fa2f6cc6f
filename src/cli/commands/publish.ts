import { Option, type Command } from 'commander'
import { formatProblem } from '../../configuration/problem.ts'
import { publish } from '../../configuration/publish.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { limited } from '../limited.ts'
import { dryRunOption, jsonOption } from '../options.ts'

interface PublishCommandOptions {
  readonly program: string
  readonly label?: string
  readonly dryRun?: true
  readonly json?: true
}

export function publishCommand(program: Command, context: CliContext): void {
  program.command('publish').description('publish the configuration and the program for all hosts; running hosts take the configuration up within seconds, the program at their next flag on')
    .argument('<directory>', 'the shared area')
    // The bundles lie beside this one, wherever it was unpacked.
    .addOption(new Option('--program <directory>', 'folder with the built program').default(import.meta.dirname, 'the one this command runs from'))
    .option('--label <label>', 'follows the number of the version')
    .addOption(dryRunOption()).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 4, 124], { 1: 'the configuration or the program is not valid; nothing was published' }))
    .action(async (directory: string, options: PublishCommandOptions) => {
      const { clock } = context
      const { manifest, warnings } = await limited(`publishing to ${directory}`, publish(directory, options.program, {
        clock, dry_run: options.dryRun ?? false, ...options.label === undefined ? {} : { label: options.label },
      }))
      if (options.json) return context.out(`${JSON.stringify({ schema: 'ringward.publish/1', dry_run: options.dryRun ?? false, version: manifest.version, manifest, warnings }, null, 2)}\n`)
      for (const warning of warnings) context.out(`${context.style('warning', 'warning:')} ${formatProblem(warning)}\n`)
      context.out(`${options.dryRun ? 'would publish' : 'published'} version ${manifest.version}: ${manifest.program.files.length} program files, ${manifest.data.files.length} configuration files\n`)
    })
}
