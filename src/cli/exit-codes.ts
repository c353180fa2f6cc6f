import { RingwardError, type ErrorCode } from '../errors.ts'

/** Exit codes of every command; each command's help lists the ones it uses. */
export const EXIT_CODES = {
  0: 'fine',
  1: 'an error inside ringward or its surroundings',
  2: 'the command line is not valid',
  3: 'ringward is not running on this host',
  4: 'refused: unsafe or not permitted',
  5: 'degraded',
  124: 'no answer in time',
} as const

export type ExitCode = keyof typeof EXIT_CODES

const EXIT_BY_ERROR: Partial<Record<ErrorCode, ExitCode>> = {
  USAGE: 2, NOT_FOUND: 2,
  NOT_RUNNING: 3, CONTROL_UNREACHABLE: 3,
  CONTROL_REFUSED: 4, PERMISSION: 4, GUARD_REFUSED: 4,
  CONTROL_TIMEOUT: 124, SHARE_TIMEOUT: 124, COMMAND_TIMEOUT: 124,
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof RingwardError ? EXIT_BY_ERROR[error.code] ?? 1 : 1
}

/** The part of a command's help that lists its exit codes; `notes` say more than the common sentence. */
export function exitCodesHelp(codes: readonly ExitCode[], notes: Partial<Record<ExitCode, string>> = {}): string {
  return ['', 'Exit codes:', ...codes.map(code => `  ${String(code).padStart(3)}  ${notes[code] ?? EXIT_CODES[code]}`)].join('\n')
}
