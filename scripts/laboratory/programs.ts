import { cgroupsOf, membersOf } from './cgroups.ts'
import type { Lab } from './lab.ts'
import { argumentsOf } from './processes.ts'

/** Ringward's programs on a host, the guard's watchdog child apart from the guard. */
export const PROGRAMS = ['agent', 'guard', 'watchdog', 'share-helper', 'executer'] as const
export type Program = typeof PROGRAMS[number]

/** Which of ringward's programs a command line runs; undefined for anything else. */
export function programOf(args: readonly string[]): Program | undefined {
  // The bundle follows Node and perhaps a few of Node's own options.
  const program = PROGRAMS.find(each => args.slice(1, 4).some(argument => argument.endsWith(`/${each}.mjs`)))
  return program === 'guard' && args.includes('--watchdog') ? 'watchdog' : program
}

/** Processes of a host that run one of ringward's programs. */
export function programPids(lab: Pick<Lab, 'id'>, host: string, program: Program): number[] {
  return membersOf(cgroupsOf(lab.id, host)).filter(pid => programOf(argumentsOf(pid)) === program)
}
