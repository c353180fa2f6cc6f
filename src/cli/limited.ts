import { RingwardError } from '../errors.ts'
import { asRingwardError } from './errors.ts'

/** For the operator's one-off work on files of the shared area; far beyond what a healthy one needs for the whole program. */
export const FILES_LIMIT_MS = 60_000

/**
 * Waits for work on files that may lie on a hung mount. Rejects with SHARE_TIMEOUT at the limit; the work itself cannot be
 * called off, which is why the process ends afterwards.
 */
export async function limited<T>(what: string, work: Promise<T>, limit_ms = FILES_LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new RingwardError('SHARE_TIMEOUT', `${what} did not end within ${limit_ms} ms; is the shared area mounted and answering?`)), limit_ms)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    throw asRingwardError(error)
  } finally {
    clearTimeout(timer)
  }
}
