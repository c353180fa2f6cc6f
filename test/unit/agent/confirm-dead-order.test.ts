import { describe, expect, it } from 'vitest'
import { confirmDead } from '../../../agent/confirm-dead-order.ts'
import type { Event } from '../../../src/core/event.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import { initialState } from '../../../src/core/state.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

interface Wishes {
  readonly silent_ms?: number
  readonly answering?: readonly string[]
  readonly holds?: boolean
}

/** ftp is silent and gives its function, as far as the shared area tells. */
function silent({ silent_ms = 60_000, answering = [], holds = true }: Wishes = {}) {
  const clock = new SystemClock()
  const now_ms = clock.boot_ms()
  const state = initialState('mail', sampleInventory(3), PROFILES.default, 0, now_ms)
  state.share.last_returned_ms = now_ms
  Object.assign(state.hosts.get('ftp')!, { lease: { schema: 'ringward.lease/1', host: 'ftp', generation: 1, sequence: 9, standing: 'unmanaged', boot_id: '' }, lease_silent_ms: silent_ms })
  state.functions.get('ftp')!.claim = { schema: 'ringward.claim/1', function: 'ftp', epoch: 1, holder: holds ? 'ftp' : 'mail', generation: 1, kind: 'native', proof: 'first', by: 'ftp', nonce: '' }
  const events: Event[] = []
  const ping = (address: string) => Promise.resolve(answering.includes(address))
  const parts = { state, clock, ping, post: (event: Event) => { events.push(event) } }
  // What an unmanaged host said last stands until it is known better.
  if (holds) state.hosts.get('ftp')!.condition = { kind: 'condition', generation: 1, sequence: 1, version: '', giving: [{ function: 'ftp', epoch: 1, kind: 'native', stage: 'serving' }], watches: [] }
  return { state, events, ask: (args: Record<string, unknown>) => confirmDead(parts, args, new AbortController().signal) }
}

describe('ringward confirm-dead', () => {
  it('tells the core and says what comes', async () => {
    const { events, ask } = silent()
    expect((await ask({ host: 'ftp' })).steps).toMatchObject([{ host: 'ftp', outcome: 'done' }])
    expect(events).toEqual([{ event: 'confirmed-dead', target: 'ftp' }])
  })

  it('does nothing on a dry run, and nothing for a host that gives nothing', async () => {
    const planned = silent()
    expect((await planned.ask({ host: 'ftp', dry_run: true })).steps).toMatchObject([{ outcome: 'planned' }])
    const empty = silent({ holds: false })
    expect((await empty.ask({ host: 'ftp' })).steps).toMatchObject([{ outcome: 'unchanged' }])
    expect([...planned.events, ...empty.events]).toEqual([])
  })

  it.each([
    ['renews its lease', { silent_ms: 300 }, 'ftp'],
    ['answers pings', { answering: ['10.77.0.13'] }, 'ftp'],
    ['holds its VIP still', { answering: ['10.77.0.113'] }, 'ftp'],
    ['is asked itself', {}, 'mail'],
  ])('refuses a host that %s', async (_, wishes, host) => {
    const { events, ask } = silent(wishes)
    await expect(ask({ host })).rejects.toMatchObject({ code: 'CONTROL_REFUSED' })
    expect(events).toEqual([])
  })

  it('refuses when nobody knows whether it renews, and a host that does not exist', async () => {
    const { state, ask } = silent()
    await expect(ask({ host: 'nobody' })).rejects.toMatchObject({ code: 'USAGE' })
    state.share.last_returned_ms = -Infinity
    await expect(ask({ host: 'ftp' })).rejects.toMatchObject({ code: 'CONTROL_REFUSED' })
  })

  it('waits no longer than it is told, and not for the one who is dead', async () => {
    expect((await silent().ask({ host: 'ftp', wait_ms: 50 })).steps).toMatchObject([{ outcome: 'failed' }])
  })
})
