import { describe, expect, it } from 'vitest'
import { handOnAppliance } from '../../../agent/appliance-orders.ts'
import type { PlainOrder, PlainTarget } from '../../../src/edges/remote-hand/plain-hand.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

const server = sampleInventory(3, { agentless: ['ftp'] }).servers[2]!
const { signal } = new AbortController()

function parts(in_use: boolean, handed_over = false) {
  const asked: { target: PlainTarget; order: PlainOrder }[] = []
  return {
    asked,
    hand: { run: (target: PlainTarget, order: PlainOrder) => (asked.push({ target, order }), Promise.resolve({ ok: true, detail: 'done', vip: 'on' as const })), close: () => Promise.resolve() },
    inUse: () => Promise.resolve(in_use), handedOver: () => handed_over,
  }
}
const order = (verb: 'give' | 'release' | 'restart-daemon', args: readonly string[]) => ({ command: 'hand', target: 'ftp', verb, args, limit_ms: 1_000 }) as const

describe('orders to a hand on a target without an agent', () => {
  it('name the account, the VIP and the epoch', async () => {
    const world = parts(false)
    expect(await handOnAppliance(world, server, order('give', ['ftp', '7']), signal)).toEqual({ event: 'hand', target: 'ftp', verb: 'give', ok: true, detail: 'done', vip: 'on' })
    expect(world.asked).toEqual([{ target: { name: 'ftp', address: server.address, ssh_host_key: '', vip: server.vip, vip_prefix: 24, user: 'root', port: 22 }, order: { verb: 'give', epoch: 7 } }])
  })

  it('give nothing while another host answers for the VIP, unless it has just handed over', async () => {
    const world = parts(true)
    expect(await handOnAppliance(world, server, order('give', ['ftp', '7']), signal)).toMatchObject({ ok: false, vip: 'off' })
    expect(world.asked).toEqual([])
    expect(await handOnAppliance(parts(true, true), server, order('give', ['ftp', '7']), signal)).toMatchObject({ ok: true })
    expect(await handOnAppliance(world, server, order('release', ['ftp', '7']), signal)).toMatchObject({ ok: true })
  })

  it('name daemons as the record does', async () => {
    const world = parts(false)
    await handOnAppliance(world, server, order('restart-daemon', ['0']), signal)
    expect(world.asked[0]?.order).toEqual({ verb: 'restart-daemon', daemon: 'service' })
  })

  it('answer when the segment cannot be asked', async () => {
    const world = { ...parts(false), inUse: () => Promise.reject(new Error('no arping')) }
    expect(await handOnAppliance(world, server, order('give', ['ftp', '7']), signal)).toMatchObject({ ok: false, detail: 'no arping' })
  })
})
