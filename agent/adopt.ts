import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { Hypervisor, RunningVirtualServer } from '../src/edges/hypervisor/hypervisor.ts'
import { within } from '../src/edges/within.ts'
import { reasonOf } from '../src/errors.ts'
import type { GuardClient } from '../src/guard/guard-client.ts'
import type { VirtualCharge } from '../src/guard/guard-protocol.ts'
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
/** A guest that serves answers in a tenth of this; while it is waited for nothing else is decided here. */
const ADDRESS_LIMIT_MS = 2_000

/**
 * Takes over what a former agent of this boot left: functions in the guard's charge go on; a virtual server that nobody holds
 * (prepared and never claimed) is ended, and so is one that its former agent had not started wholly.
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
      // Without its machine, or with one whose start the former agent did not finish, the function is taken up anew.
      if (!machine || !await finishStart(parts, charge, machine)) continue
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

/** The former agent may have died between the claim and the VIP: it is put there again, which changes nothing where it is. */
async function finishStart({ guard, hypervisor, servers, problem }: AdoptParts, charge: VirtualCharge, machine: RunningVirtualServer): Promise<boolean> {
  const server = servers.find(({ name }) => name === charge.function)
  try {
    if (machine.state !== 'running' || !server) throw new Error('it was loaded and did not run yet')
    await within(ADDRESS_LIMIT_MS, [], signal => hypervisor.addAddress(machine.name, server.vip, server.vip_prefix, { signal }))
    return true
  } catch (error) {
    problem(`${machine.name} of a former agent is not taken over: ${reasonOf(error)}`)
    await guard.request({ verb: 'disarm', function: charge.function }, GUARD_LIMIT_MS).catch((failure: unknown) => problem(reasonOf(failure)))
    return false
  }
}
