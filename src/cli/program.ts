import { Command, CommanderError } from 'commander'
import { checkCommand } from './commands/check.ts'
import { confirmDeadCommand } from './commands/confirm-dead.ts'
import { flagCommand } from './commands/flag.ts'
import { forgetCommand } from './commands/forget.ts'
import { incidentsCommand } from './commands/incidents.ts'
import { initCommand } from './commands/init.ts'
import { joinCommand } from './commands/join.ts'
import { loadCommand } from './commands/load.ts'
import { logCommand } from './commands/log.ts'
import { holdCommand, maintenanceCommand } from './commands/orders.ts'
import { publishCommand } from './commands/publish.ts'
import { replayCommand } from './commands/replay.ts'
import { returnCommand } from './commands/return.ts'
import { ringCommand } from './commands/ring.ts'
import { simulateCommand } from './commands/simulate.ts'
import { statusCommand } from './commands/status.ts'
import { versionCommand } from './commands/version.ts'
import type { CliContext } from './context.ts'
import { asRingwardError, errorDocument } from './errors.ts'
import { exitCodeOf, exitCodesHelp, type ExitCode } from './exit-codes.ts'
import { VERSION } from './version.ts'

/** In the order of the help. */
const COMMANDS = [
  statusCommand, ringCommand, loadCommand, logCommand, incidentsCommand, flagCommand, maintenanceCommand, holdCommand, returnCommand, confirmDeadCommand,
  checkCommand, initCommand, publishCommand, joinCommand, forgetCommand, simulateCommand, replayCommand, versionCommand,
]

/** The command tree, writing and failing through the context. */
export function buildProgram(context: CliContext): Command {
  const program = new Command('ringward').description('Every server watches two neighbours, and no function stays down.')
    .exitOverride()
    // Complaints are told once and in one form, by runCli.
    .configureOutput({ writeOut: text => context.out(text), writeErr: () => undefined, getOutHasColors: () => false, getErrHasColors: () => false })
    .version(VERSION, '-V, --version')
    .showSuggestionAfterError()
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 4, 5, 124]))
  for (const register of COMMANDS) register(program, context)
  return program
}

/** Runs one command line (without `node` and script); returns the code to end with, unless the command set another. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  let exit: ExitCode = 0
  const program = buildProgram({ ...context, out: text => context.out(text), error: text => context.error(text), setExit: code => { exit = code } })
  try {
    if (args.length === 0) {
      context.error(program.helpInformation())
      return 2
    }
    await program.parseAsync([...args], { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure = asRingwardError(error)
    context.error(wantsJson(args) ? `${JSON.stringify(errorDocument(failure))}\n` : `ringward: ${failure.message}\n`)
    return exitCodeOf(failure)
  }
}

/** The command line may be too broken to be parsed, and its reader a program all the same. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}
