import { CommanderError } from 'commander'
import { RingwardError, reasonOf } from '../errors.ts'
import type { ErrorDocument } from '../control/documents.ts'

/** Any failure as the stable code and sentence that are shown; the command line's own complaints become USAGE. */
export function errorDocument(error: unknown): ErrorDocument {
  const known = asRingwardError(error)
  return { schema: 'ringward.error/1', code: known.code, message: known.message }
}

export function asRingwardError(error: unknown): RingwardError {
  if (error instanceof RingwardError) return error
  if (error instanceof CommanderError) return new RingwardError('USAGE', `${error.message.replace(/^error: /, '')}; see --help`)
  return new RingwardError(codeOfSystem(error), reasonOf(error), { cause: error })
}

function codeOfSystem(error: unknown): 'PERMISSION' | 'INTERNAL' {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code === 'EACCES' || code === 'EPERM' ? 'PERMISSION' : 'INTERNAL'
}
