import { afterEach, describe, expect, it } from 'vitest'
import { StandbyCheck } from '../../../agent/standby-check.ts'
import type { Event } from '../../../src/core/event.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'

let check: StandbyCheck | undefined
afterEach(() => check?.stop())

async function seen(files: readonly string[] | Error, standby: 'saved' | 'cold' = 'saved'): Promise<Event[]> {
  const events: Event[] = []
  const [server] = sampleInventory(1).servers
  check = new StandbyCheck({
    share: { list: path => { expect(path).toBe('vm/base'); return files instanceof Error ? Promise.reject(files) : Promise.resolve([...files]) } },
    hypervisor: { savedState: ({ name }) => Promise.resolve(`${name}.kvm.0123.state`) },
    servers: () => [{ ...server!, virtual_server: { ...server!.virtual_server, standby } }], post: event => events.push(event),
  })
  await new Promise(resolve => setImmediate(resolve))
  return events
}
const image = async (...wishes: Parameters<typeof seen>) => (await seen(...wishes)).flatMap(event => event.event === 'standby' ? event.images : [])

describe('the standby check', () => {
  it('finds what the hypervisor of this host would load', async () => {
    expect(await image(['kernel', 'initrd', 'mail-vs.kvm.0123.state'])).toEqual([{ function: 'mail', state: 'good', detail: '' }])
  })

  it('needs no saved state where none is wished for', async () => {
    expect(await image(['kernel', 'initrd'], 'cold')).toMatchObject([{ state: 'good' }])
  })

  it('tells a state for other settings from none at all', async () => {
    expect(await image(['kernel', 'initrd', 'mail-vs.tcg.0123.state'])).toEqual([{ function: 'mail', state: 'stale', detail: 'vm/base has no mail-vs.kvm.0123.state, only states for other settings or processors' }])
    expect(await image(['kernel', 'initrd', 'login-vs.kvm.0123.state'])).toEqual([{ function: 'mail', state: 'stale', detail: 'vm/base has no mail-vs.kvm.0123.state' }])
  })

  it('misses the image itself', async () => {
    expect(await image(['mail-vs.kvm.0123.state', 'kernel'])).toEqual([{ function: 'mail', state: 'missing', detail: 'vm/base has no initrd' }])
    expect(await image([])).toMatchObject([{ state: 'missing', detail: 'vm/base has no kernel and no initrd' }])
  })

  it('knows nothing while the shared area does not answer', async () => {
    expect(await seen(new Error('no answer'))).toEqual([])
  })
})
