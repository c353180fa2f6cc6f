import { RingwardError } from '../../errors.ts'
import { run } from '../command.ts'

/** Time ping needs to start and end besides its wait: 2.2 ms typical, 6.5 ms at the 99th percentile; generous for a loaded host. */
const PROCESS_ALLOWANCE_MS = 500

/**
 * One ping, one answer or none within `limit_ms`. Rejects only when it could not ask: COMMAND_MISSING, COMMAND_FAILED or ABORTED.
 * "Network is unreachable" (status 2) is no answer.
 */
export async function quickPing(address: string, limit_ms: number, signal: AbortSignal): Promise<boolean> {
  const wait_s = String(Math.max(1, limit_ms) / 1_000)
  try {
    const result = await run('ping', ['-n', '-q', '-c', '1', '-W', wait_s, '--', address], { limit_ms: limit_ms + PROCESS_ALLOWANCE_MS, signal })
    return result.status === 0
  } catch (error) {
    if (error instanceof RingwardError && error.code === 'COMMAND_TIMEOUT') return false
    throw error
  }
}
