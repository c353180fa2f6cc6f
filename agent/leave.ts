import type { State } from '../src/core/state.ts'
import type { Hypervisor } from '../src/edges/hypervisor/hypervisor.ts'
import type { Share } from '../src/edges/share/share.ts'
import { within } from '../src/edges/within.ts'
import { reasonOf } from '../src/errors.ts'
import type { GuardClient } from '../src/guard/guard-client.ts'

export interface LeaveParts {
  readonly state: State
  readonly hypervisor: Hypervisor
  readonly share: Share
  readonly guard: Pick<GuardClient, 'request'>
  readonly virtualServerOf: (name: string) => string
  readonly note: (text: string) => void
}

/** The Executer gives 1.2 s before it kills; the guard's own leave must fit in as well. */
const STOP_LIMIT_MS = 500
const RELEASE_LIMIT_MS = 300
const LEAVE_LIMIT_MS = 400

/**
 * Management ends on this host, its service goes on: virtual servers of others are stopped and released, so that the ring gives them
 * elsewhere; then the guard makes the own VIP permanent and tells the ring "unmanaged" (protocol R2).
 */
export async function leaveManagement(parts: LeaveParts): Promise<void> {
  const { state, hypervisor, share, guard, virtualServerOf, note } = parts
  const virtual = [...state.giving.values()].filter(giving => giving.kind === 'virtual')
  await Promise.all(virtual.map(async ({ function: name }) => {
    try {
      await within(STOP_LIMIT_MS, [], signal => hypervisor.stop(virtualServerOf(name), { signal }))
      const claim = state.functions.get(name)?.claim
      if (claim?.holder === state.self) await share.release({ schema: 'ringward.release/1', function: name, epoch: claim.epoch, how: 'goodbye', by: state.self }, { deadline_ms: RELEASE_LIMIT_MS })
    } catch (error) {
      // What is not released is taken over when the lease has been silent for long enough.
      note(`${name} could not be handed back in time: ${reasonOf(error)}`)
    }
  }))
  const reply = await guard.request({ verb: 'leave', standing: 'unmanaged' }, LEAVE_LIMIT_MS)
  note(reply.ok ? 'Management_ends: the VIP stays, unmanaged' : `The_guard_did_not_leave: ${reply.reason ?? 'no reason given'}`)
}
