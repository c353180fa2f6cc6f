import { expect, it } from 'vitest'
import { GivingOrders } from '../../../agent/giving-orders.ts'
import { serverOf } from '../../../src/core/context.ts'
import type { Event } from '../../../src/core/event.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import { initialState } from '../../../src/core/state.ts'
import { MemoryHypervisor } from '../../../src/edges/hypervisor/memory-hypervisor.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

/** Whoever has the address and is on the segment answers for it, this host's own virtual server as well. */
function make(options: { readonly handed_over?: boolean; readonly stranger?: boolean } = {}) {
  const hypervisor = new MemoryHypervisor({ saved_images: new Set() })
  const state = initialState('mail', sampleInventory(3), PROFILES.default, 0, 0)
  const { vip, virtual_server } = serverOf(state, 'ftp')
  const events: Event[] = []
  const asked: string[] = []
  const orders = new GivingOrders({
    hypervisor, device: 'eth0', margin_ms: 500,
    guard: { request: () => Promise.resolve({ reply: 1, ok: true }) },
    announcer: {
      inUse: async address => {
        asked.push(address)
        // The question stays on the segment for a while.
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
        return options.stranger === true || hypervisor.addressesOf(virtual_server.name).includes(address)
      },
      announce: () => undefined, stop: () => Promise.resolve(),
    },
    serverOf: name => serverOf(state, name), post: event => { events.push(event) }, touch: () => Promise.resolve(),
    ownAddresses: () => new Set(), handedOver: () => options.handed_over === true,
  })
  const give = async (warm: boolean): Promise<void> => {
    await orders.prepare({ command: 'prepare', function: 'ftp', warm })
    await orders.serve({ command: 'serve', function: 'ftp', epoch: 2, kind: 'virtual', generation: 1 })
  }
  return { hypervisor, machine: virtual_server.name, vip, events, asked, give }
}

it('a virtual server that ran ahead is not taken for a stranger when its holder released instead of handing over', async () => {
  const { hypervisor, machine, vip, events, asked, give } = make()
  await give(true)
  expect(events.at(-1)).toMatchObject({ event: 'serving', ok: true })
  expect(asked).toEqual([vip])
  expect(hypervisor.addressesOf(machine)).toEqual([vip])
})

it('one that ran ahead does not join the segment while a stranger has its address', async () => {
  const { hypervisor, machine, events, give } = make({ stranger: true })
  await give(true)
  expect(events.at(-1)).toMatchObject({ event: 'serving', ok: false, detail: expect.stringContaining('another host answers for') })
  expect(hypervisor.isOnNetwork(machine)).toBe(false)
})

it('the segment is not asked in a hand-over, and is asked while a virtual server that stood still wakes', async () => {
  const handed_over = make({ handed_over: true })
  await handed_over.give(true)
  expect(handed_over.asked).toEqual([])
  expect(handed_over.events.at(-1)).toMatchObject({ event: 'serving', ok: true })
  const woken = make()
  await woken.give(false)
  expect(woken.asked).toEqual([woken.vip])
  expect(woken.events.at(-1)).toMatchObject({ event: 'serving', ok: true })
})
