import type { Command } from 'commander'
import { hostname } from 'node:os'
import { runCheck } from '../../configuration/check.ts'
import { ownServer, readHostSettings } from '../../configuration/host-settings.ts'
import { placesOf } from '../../configuration/places.ts'
import { formatProblem, type Problem } from '../../configuration/problem.ts'
import { restartNeeded } from '../../configuration/restart-needed.ts'
import type { Inventory } from '../../core/inventory.ts'
import { RingwardError } from '../../errors.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { limited } from '../limited.ts'
import { jsonOption } from '../options.ts'

interface CheckCommandOptions {
  readonly withoutHost?: true
  readonly running?: string
  readonly json?: true
}

export function checkCommand(program: Command, context: CliContext): void {
  program.command('check').description('validate the configuration by the same path as a start; on a host of a ring its settings and keys too')
    .argument('[directory]', 'folder with group.toml, servers/ and probes/', '.')
    .option('--without-host', 'leave out the settings and keys of this host')
    .option('--running <directory>', 'also say what of the difference to this configuration a running agent cannot take up; implies --without-host')
    .addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 124], { 0: 'no problems; there may be warnings', 1: 'problems were found' }))
    .action(async (directory: string, options: CheckCommandOptions) => {
      const without_host = options.withoutHost ?? options.running !== undefined
      const { inventory, problems, warnings } = await limited(`the check of ${directory}`, runCheck(directory, without_host ? {} : { local: { places: placesOf(), hostname: hostname() } }))
      const restart = options.running === undefined || !inventory ? undefined : await limited(`the check of ${options.running}`, restartOf(options.running, inventory))
      context.setExit(problems.length > 0 ? 1 : 0)
      if (options.json) return context.out(`${JSON.stringify({ schema: 'ringward.check/1', ok: problems.length === 0, servers: inventory?.servers.map(server => server.name) ?? [], problems, warnings, ...restart ? { restart } : {} }, null, 2)}\n`)
      for (const problem of problems) context.out(`${formatProblem(problem)}\n`)
      for (const warning of warnings) context.out(`${asWarning(warning, context)}\n`)
      for (const text of restart ?? []) context.out(`${context.style('warning', 'not while management runs:')} ${text}\n`)
      context.out(inventory ? `${context.style('good', 'the configuration is valid')}: ${inventory.servers.length} servers (${inventory.servers.map(server => server.name).join(', ')})\n` : `${context.style('bad', `${problems.length} problems`)}; the configuration would be refused\n`)
    })
}

/** A machine that is no host of the running ring has nothing to take up. */
async function restartOf(directory: string, published: Inventory): Promise<string[]> {
  const { inventory: running } = await runCheck(directory)
  if (!running) throw new RingwardError('CONFIGURATION_INVALID', `the configuration in ${directory} is not valid; name the one that runs`)
  const { settings } = await readHostSettings(placesOf().host_toml)
  const self = settings ? ownServer(running, settings, hostname()).name : undefined
  return restartNeeded(running, published, self)
}

function asWarning(warning: Problem, context: CliContext): string {
  return formatProblem({ ...warning, message: `${context.style('warning', 'warning:')} ${warning.message}` })
}
