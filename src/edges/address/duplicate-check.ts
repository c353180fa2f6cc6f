import { RingwardError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { startDeadline, type Deadline } from '../deadline.ts'
import { startOwned, type OwnedChild } from './owned-child.ts'

/**
 * A living kernel answers ARP within a millisecond; arping with start and end was measured at 16 ms (21 ms the slowest of 40).
 * arping itself waits whole seconds (1.01 s for a free address) and a takeover is not to be held up that long.
 */
const ANSWER_WAIT_MS = 250
/** A second question in case the first is lost; the whole check takes 350 ms for a free address. */
const PROBE_STARTS_MS = [0, 100]

/**
 * `arping -D`: true as soon as another host answers for `address` on the segment of `device`; false when none does in time.
 * Rejects with COMMAND_FAILED when not one question could be asked (no arping, no such device), or with ABORTED.
 */
export function addressInUse(address: string, device: string, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const children: OwnedChild[] = []
    const timers: NodeJS.Timeout[] = []
    const limits: Deadline[] = []
    let unanswered = 0
    const failures: string[] = []
    let settled = false
    const settle = (conclude: () => void): void => {
      if (settled) return
      settled = true
      signal.removeEventListener('abort', abort)
      for (const timer of timers) clearTimeout(timer)
      for (const limit of limits) limit.cancel()
      for (const child of children) child.kill()
      // Only when every child is reaped: nothing may be left when the caller goes on.
      void Promise.all(children.map(child => child.ended)).then(conclude)
    }
    const abort = (): void => settle(() => reject(new RingwardError('ABORTED', `asking for ${address} on ${device} was called off`)))
    const ask = async (): Promise<void> => {
      const child = startOwned('arping', ['-D', '-c', '1', '-w', '1', '-I', device, address])
      children.push(child)
      let silent = false
      const limit = startDeadline(clock, ANSWER_WAIT_MS, () => {
        silent = true
        child.kill()
      })
      limits.push(limit)
      const { status, stdout, words } = await child.ended
      limit.cancel()
      // Status 1 alone is not enough: arping ends so for a bad argument too.
      if (status === 1 && stdout.includes('reply from')) return settle(() => resolve(true))
      unanswered += 1
      if (status !== 0 && !silent) failures.push(words || `status ${status ?? 'none'}`)
      if (unanswered < PROBE_STARTS_MS.length) return
      if (failures.length < PROBE_STARTS_MS.length) return settle(() => resolve(false))
      settle(() => reject(new RingwardError('COMMAND_FAILED', `arping could not ask for ${address} on ${device}: ${failures[0]}; look at the device and the package iputils-arping`)))
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    for (const start_ms of PROBE_STARTS_MS) timers.push(setTimeout(() => void ask(), start_ms))
  })
}
