import { describe, expect, it } from 'vitest'
import { controlHandlers, type ControlParts } from '../../../agent/control-handlers.ts'
import type { ActionDocument } from '../../../src/control/documents.ts'
import { hostOf } from '../../../src/core/context.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import type { LeaseStanding } from '../../../src/core/records.ts'
import { initialState, type State } from '../../../src/core/state.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import type { HandResult, HandVerb } from '../../../src/edges/remote-hand/remote-hand.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

/** Enough for what is to happen, however slow this machine is. */
const LONG_MS = 30_000

const clock = new SystemClock()

class Agent {
  readonly state: State = initialState('mail', sampleInventory(3), PROFILES.default, 0, clock.boot_ms())
  readonly hands: string[] = []
  /** What a hand does to the host, and what it says. */
  act: (host: string, verb: HandVerb) => HandResult = () => ({ ok: true, detail: '' })

  lease(host: string, standing: LeaseStanding): void {
    const facts = hostOf(this.state, host)
    facts.lease = { schema: 'ringward.lease/1', host, boot_id: 'boot', generation: 1, sequence: 1, standing }
    facts.lease_silent_ms = 0
  }

  async flag(args: Readonly<Record<string, unknown>>, signal = new AbortController().signal): Promise<ActionDocument> {
    const hand = {
      run: ({ name }: { name: string }, verb: HandVerb) => {
        this.hands.push(`${verb} ${name}`)
        return Promise.resolve(this.act(name, verb))
      },
      close: () => Promise.resolve(),
    }
    // The verb "flag" asks nothing else.
    const parts = { state: this.state, clock, hand } as unknown as ControlParts
    return await controlHandlers(parts)['flag']?.({ on: true, hosts: [], all: false, dry_run: false, wait_ms: 0, ...args }, signal) as ActionDocument
  }
}

describe('flag HOST --wait', () => {
  it('on: is done when the host is present in the ring', async () => {
    const agent = new Agent()
    agent.lease('ftp', 'unmanaged')
    agent.act = host => {
      setTimeout(() => agent.lease(host, 'member'), 150)
      return { ok: true, detail: '' }
    }
    const { steps, verb } = await agent.flag({ hosts: ['ftp'], wait_ms: LONG_MS })
    expect([verb, steps]).toEqual(['flag on', [{ host: 'ftp', act: 'create the flag file', outcome: 'done' }]])
    expect(hostOf(agent.state, 'ftp').lease?.standing).toBe('member')
  })

  it('off: is done when the host is no longer a member', async () => {
    const agent = new Agent()
    agent.lease('ftp', 'member')
    agent.act = host => {
      setTimeout(() => agent.lease(host, 'unmanaged'), 150)
      return { ok: true, detail: 'removed' }
    }
    expect((await agent.flag({ on: false, hosts: ['ftp'], wait_ms: LONG_MS })).steps).toEqual([{ host: 'ftp', act: 'remove the flag file', outcome: 'done', reason: 'removed' }])
    expect(hostOf(agent.state, 'ftp').lease?.standing).toBe('unmanaged')
  })

  it('says why when the time is over', async () => {
    const agent = new Agent()
    agent.lease('ftp', 'member')
    expect((await agent.flag({ hosts: ['login'], wait_ms: 120 })).steps).toMatchObject([{ outcome: 'failed', reason: expect.stringMatching(/^the flag is set, but login was not in the ring 120 ms later/) }])
    expect((await agent.flag({ on: false, hosts: ['ftp'], wait_ms: 120 })).steps).toMatchObject([{ outcome: 'failed', reason: expect.stringMatching(/^the flag is gone, but ftp was still a member of the ring 120 ms later/) }])
  })

  it('does not wait without being asked, for a hand that failed, or in a dry run', async () => {
    const agent = new Agent()
    expect((await agent.flag({ hosts: ['ftp'] })).steps).toMatchObject([{ outcome: 'done' }])
    expect((await agent.flag({ hosts: ['ftp'], wait_ms: LONG_MS, dry_run: true })).steps).toMatchObject([{ outcome: 'planned' }])
    agent.act = () => ({ ok: false, detail: 'no route' })
    expect((await agent.flag({ hosts: ['ftp'], wait_ms: LONG_MS })).steps).toEqual([{ host: 'ftp', act: 'create the flag file', outcome: 'failed', reason: 'no route' }])
    expect(agent.hands).toEqual(['flag-on ftp', 'flag-on ftp'])
  })

  it('switches its own host off last, when the others have left', async () => {
    const agent = new Agent()
    for (const host of ['login', 'ftp']) agent.lease(host, 'member')
    let members_at_the_end = -1
    agent.act = host => {
      if (host === 'mail') members_at_the_end = ['login', 'ftp'].filter(name => hostOf(agent.state, name).lease?.standing === 'member').length
      else setTimeout(() => agent.lease(host, 'unmanaged'), 150)
      return { ok: true, detail: '' }
    }
    const { steps } = await agent.flag({ on: false, all: true, wait_ms: LONG_MS })
    expect(steps.map(({ host, outcome }) => `${host} ${outcome}`)).toEqual(['mail done', 'login done', 'ftp done'])
    expect([agent.hands.at(-1), members_at_the_end]).toEqual(['flag-off mail', 0])
  })

  it('ends with the caller', async () => {
    const caller = new AbortController()
    setTimeout(() => caller.abort(), 50)
    await expect(new Agent().flag({ hosts: ['ftp'], wait_ms: LONG_MS }, caller.signal)).rejects.toThrow(/abort/i)
  })
})
