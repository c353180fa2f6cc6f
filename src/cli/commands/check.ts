import type { Command } from 'commander'
import { hostname } from 'node:os'
import { runCheck } from '../../configuration/check.ts'
import { placesOf } from '../../configuration/places.ts'
import { formatProblem, type Problem } from '../../configuration/problem.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { limited } from '../limited.ts'
import { jsonOption } from '../options.ts'

export function checkCommand(program: Command, context: CliContext): void {
  program.command('check').description('validate the configuration by the same path as a start; on a host of a ring its settings and keys too')
    .argument('[directory]', 'folder with group.toml, servers/ and probes/', '.')
    .addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 124], { 0: 'no problems; there may be warnings', 1: 'problems were found' }))
    .action(async (directory: string, options: { readonly json?: true }) => {
      const { inventory, problems, warnings } = await limited(`the check of ${directory}`, runCheck(directory, { local: { places: placesOf(), hostname: hostname() } }))
      context.setExit(problems.length > 0 ? 1 : 0)
      if (options.json) return context.out(`${JSON.stringify({ schema: 'ringward.check/1', ok: problems.length === 0, servers: inventory?.servers.map(server => server.name) ?? [], problems, warnings }, null, 2)}\n`)
      for (const problem of problems) context.out(`${formatProblem(problem)}\n`)
      for (const warning of warnings) context.out(`${asWarning(warning, context)}\n`)
      context.out(inventory ? `${context.style('good', 'the configuration is valid')}: ${inventory.servers.length} servers (${inventory.servers.map(server => server.name).join(', ')})\n` : `${context.style('bad', `${problems.length} problems`)}; the configuration would be refused\n`)
    })
}

function asWarning(warning: Problem, context: CliContext): string {
  return formatProblem({ ...warning, message: `${context.style('warning', 'warning:')} ${warning.message}` })
}
