import { describe, expect, it } from 'vitest'
import { returnHome } from '../../../agent/return-order.ts'
import type { Event } from '../../../src/core/event.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import { initialState, type State } from '../../../src/core/state.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

function away(present: boolean): { state: State; events: Event[]; ask: (args: Record<string, unknown>) => ReturnType<typeof returnHome> } {
  const clock = new SystemClock()
  const state = initialState('mail', sampleInventory(3), PROFILES.default, 0, clock.boot_ms())
  state.functions.get('ftp')!.claim = { schema: 'ringward.claim/1', function: 'ftp', epoch: 2, holder: 'mail', generation: 1, kind: 'virtual', proof: 'silence', by: 'mail', nonce: '' }
  if (present) state.hosts.get('ftp')!.lease = { schema: 'ringward.lease/1', host: 'ftp', generation: 2, sequence: 1, standing: 'member', boot_id: '' }
  const events: Event[] = []
  return { state, events, ask: args => returnHome({ state, clock, post: event => { events.push(event) } }, args, new AbortController().signal) }
}

describe('ringward return', () => {
  it('tells the core and says what comes', async () => {
    const { events, ask } = away(true)
    expect((await ask({ host: 'ftp' })).steps).toMatchObject([{ host: 'ftp', outcome: 'done' }])
    expect(events).toEqual([{ event: 'return-wanted', function: 'ftp' }])
  })

  it('does nothing on a dry run, and nothing for a function that is at home', async () => {
    const { events, ask } = away(true)
    expect((await ask({ host: 'ftp', dry_run: true })).steps).toMatchObject([{ outcome: 'planned' }])
    const home = away(true)
    home.state.functions.get('ftp')!.claim = { ...home.state.functions.get('ftp')!.claim!, holder: 'ftp', kind: 'native' }
    expect((await home.ask({ host: 'ftp' })).steps).toMatchObject([{ outcome: 'unchanged' }])
    expect([...events, ...home.events]).toEqual([])
  })

  it('refuses a host that is away, and one that does not exist', async () => {
    await expect(away(false).ask({ host: 'ftp' })).rejects.toMatchObject({ code: 'CONTROL_REFUSED' })
    await expect(away(true).ask({ host: 'nobody' })).rejects.toMatchObject({ code: 'USAGE' })
  })

  it('waits no longer than it is told', async () => {
    expect((await away(true).ask({ host: 'ftp', wait_ms: 50 })).steps).toMatchObject([{ outcome: 'failed' }])
  })
})
