import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { Hypervisor } from '../src/edges/hypervisor/hypervisor.ts'
import { within } from '../src/edges/within.ts'
import { reasonOf } from '../src/errors.ts'
import type { GuardClient } from '../src/guard/guard-client.ts'
import type { GivingOrders } from './giving-orders.ts'

export interface AdoptParts {
  readonly guard: Pick<GuardClient, 'request'>
  readonly hypervisor: Hypervisor
  readonly giving: GivingOrders
  readonly servers: readonly Server[]
  readonly post: (event: Event) => void
  readonly problem: (text: string) => void
}

const GUARD_LIMIT_MS = 5_000
const HYPERVISOR_LIMIT_MS = 5_000

/**
 * Takes over what a former agent of this boot left: functions in the guard's charge go on; a virtual server that nobody holds
 * (prepared and never claimed) is ended.
 */
export async function adopt(parts: AdoptParts): Promise<void> {
  const { guard, hypervisor, giving, servers, post, problem } = parts
  const { status } = await guard.request({ verb: 'status' }, GUARD_LIMIT_MS)
  const held = new Set<string>()
  const machines = await within(HYPERVISOR_LIMIT_MS, [], signal => hypervisor.list({ signal })).catch((error: unknown) => {
    problem(`virtual servers of a former agent cannot be listed: ${reasonOf(error)}`)
    return []
  })
  for (const charge of status?.charges ?? []) {
    if (charge.kind === 'virtual') {
      const machine = machines.find(candidate => candidate.name === charge.virtual_server && candidate.pid === charge.pid)
      if (!machine) continue
      held.add(charge.virtual_server)
      giving.adopt(charge.function, machine)
    }
    post({ event: 'adopted', function: charge.function, epoch: charge.epoch, kind: charge.kind })
  }
  const ours = new Set(servers.map(server => server.virtual_server.name))
  for (const machine of machines) {
    if (held.has(machine.name) || !ours.has(machine.name)) continue
    await within(HYPERVISOR_LIMIT_MS, [], signal => hypervisor.stop(machine.name, { signal })).catch((error: unknown) => problem(`${machine.name} of a former agent cannot be ended: ${reasonOf(error)}`))
  }
}
