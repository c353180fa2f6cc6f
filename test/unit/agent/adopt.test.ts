import { describe, expect, it } from 'vitest'
import { adopt } from '../../../agent/adopt.ts'
import type { GivingOrders } from '../../../agent/giving-orders.ts'
import type { Event } from '../../../src/core/event.ts'
import { MemoryHypervisor } from '../../../src/edges/hypervisor/memory-hypervisor.ts'
import type { Charge } from '../../../src/guard/guard-protocol.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

const { servers } = sampleInventory(3)
const ftp = servers.find(({ name }) => name === 'ftp')!
const signal = new AbortController().signal

/** What a former agent has left: a virtual server for ftp in the guard's charge, in the state it had reached. */
async function left(reached: 'paused' | 'running' | 'serving') {
  const hypervisor = new MemoryHypervisor({ saved_images: new Set([ftp.virtual_server.image]) })
  const { pid, pid_start } = await hypervisor.prepare(ftp.virtual_server, { signal })
  const { name } = ftp.virtual_server
  if (reached !== 'paused') await hypervisor.run(name, { signal })
  if (reached === 'serving') await hypervisor.addAddress(name, ftp.vip, ftp.vip_prefix, { signal })
  const charge: Charge = { function: 'ftp', epoch: 2, kind: 'virtual', virtual_server: name, pid, pid_start }
  const events: Event[] = []
  const disarmed: string[] = []
  const request = (order: { readonly verb: string; readonly function?: string }) => {
    if (order.verb === 'disarm') disarmed.push(order.function ?? '')
    return Promise.resolve({ ok: true, reply: 1, status: { generation: 1, sequence: 1, deadline_ms: 0, ride_until_ms: 0, good: true, renew_latency_ms: 1, charges: [charge], barred: {} } })
  }
  await adopt({ guard: { request }, hypervisor, giving: { adopt: () => undefined } as unknown as GivingOrders, servers, post: event => { events.push(event) }, problem: () => undefined })
  return { hypervisor, events, disarmed, name }
}

describe('what a former agent left', () => {
  it('goes on when it serves', async () => {
    const { events, hypervisor, name } = await left('serving')
    expect(events).toEqual([{ event: 'adopted', function: 'ftp', epoch: 2, kind: 'virtual' }])
    expect(hypervisor.addressesOf(name)).toEqual([ftp.vip])
  })

  it('gets its VIP when the agent had died before that', async () => {
    const { events, hypervisor, name } = await left('running')
    expect(events).toHaveLength(1)
    expect(hypervisor.addressesOf(name)).toEqual([ftp.vip])
  })

  it('is ended, and taken up anew, when it never ran', async () => {
    const { events, hypervisor, disarmed } = await left('paused')
    expect(events).toEqual([])
    expect(disarmed).toEqual(['ftp'])
    expect(await hypervisor.list({ signal })).toEqual([])
  })
})
