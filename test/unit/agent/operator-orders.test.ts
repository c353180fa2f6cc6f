import { describe, expect, it } from 'vitest'
import { hold, maintenance } from '../../../agent/operator-orders.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import { initialState } from '../../../src/core/state.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { MemoryShareWorld } from '../../../src/edges/share/memory-share.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

function ring() {
  const clock = new SystemClock()
  const world = new MemoryShareWorld()
  const state = initialState('mail', sampleInventory(3), PROFILES.default, 0, clock.boot_ms())
  const parts = { state, clock, share: world.connect() }
  const signal = new AbortController().signal
  return {
    state, orders: () => world.observe().orders,
    maintain: (args: Record<string, unknown>) => maintenance(parts, args, signal), hold: (args: Record<string, unknown>) => hold(parts, args, signal),
  }
}

describe('ringward maintenance', () => {
  it('stands on the shared area until its end', async () => {
    const { maintain, orders } = ring()
    expect((await maintain({ host: 'ftp', on: true, for_ms: 60_000 })).steps).toMatchObject([{ host: 'ftp', outcome: 'done' }])
    const [order] = orders()
    expect(order).toMatchObject({ order: 'maintenance', host: 'ftp' })
    expect(order!.remaining_ms).toBeLessThanOrEqual(60_000)
  })

  it('is taken back', async () => {
    const { maintain, orders, state } = ring()
    await maintain({ host: 'ftp', on: true })
    state.orders.maintenance_until_ms.set('ftp', Infinity)
    expect((await maintain({ host: 'ftp', on: false })).steps).toMatchObject([{ outcome: 'done' }])
    expect(orders()).toEqual([])
  })

  it('says when there is nothing to end, and writes nothing on a dry run', async () => {
    const { maintain, orders } = ring()
    expect((await maintain({ host: 'ftp', on: false })).steps).toMatchObject([{ outcome: 'unchanged' }])
    expect((await maintain({ host: 'ftp', on: true, dry_run: true })).steps).toMatchObject([{ outcome: 'planned' }])
    expect(orders()).toEqual([])
  })

  it('refuses an unknown host and a time that is none', async () => {
    await expect(ring().maintain({ host: 'nobody', on: true })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(ring().maintain({ host: 'ftp', on: true, for_ms: -1 })).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('waits until the host is empty, and says so when it is not', async () => {
    const { maintain, state } = ring()
    state.functions.get('ftp')!.claim = { schema: 'ringward.claim/1', function: 'ftp', epoch: 1, holder: 'ftp', generation: 1, kind: 'native', proof: 'first', by: 'ftp', nonce: '' }
    state.orders.maintenance_until_ms.set('ftp', Infinity)
    expect((await maintain({ host: 'ftp', on: true, wait_ms: 50 })).steps).toMatchObject([{ outcome: 'failed', reason: expect.stringContaining('still gives') as string }])
  })
})

describe('ringward hold', () => {
  it('stands for the whole ring, and is taken back', async () => {
    const { hold, orders, state } = ring()
    expect((await hold({ on: true })).steps).toMatchObject([{ host: 'all hosts', outcome: 'done' }])
    expect(orders()).toMatchObject([{ order: 'hold' }])
    state.orders.hold_until_ms = Infinity
    await hold({ on: false })
    expect(orders()).toEqual([])
  })
})
