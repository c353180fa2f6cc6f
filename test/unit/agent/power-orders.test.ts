import { expect, it } from 'vitest'
import { PowerOrders } from '../../../agent/power-orders.ts'
import { serverOf } from '../../../src/core/context.ts'
import type { Event } from '../../../src/core/event.ts'
import { PROFILES } from '../../../src/core/profile.ts'
import { initialState } from '../../../src/core/state.ts'
import { MemoryPowerSwitch } from '../../../src/edges/power/memory-power-switch.ts'
import { sampleInventory, withPower } from '../../../src/simulator/sample-inventory.ts'

function make() {
  const power = new MemoryPowerSwitch()
  const state = initialState('mail', withPower(sampleInventory(3), ['ftp']), PROFILES.default, 0, 0)
  const events: Event[] = []
  const over = new AbortController()
  const orders = new PowerOrders({ power, serverOf: name => serverOf(state, name), signal: over.signal, post: event => { events.push(event) } })
  return { power, events, over, orders }
}

it('tells the state with the request it answers', async () => {
  const { power, events, orders } = make()
  power.states.set('ftp', 'off')
  await orders.order({ command: 'power', target: 'ftp', verb: 'status', request: 7 })
  await orders.order({ command: 'power', target: 'ftp', verb: 'on', request: 8 })
  expect(events).toEqual([
    { event: 'power', target: 'ftp', verb: 'status', request: 7, state: 'off', detail: '' },
    { event: 'power', target: 'ftp', verb: 'on', request: 8, state: 'on', detail: '' },
  ])
})

it('tells "unknown" for words that cannot be read and for a host without a controller, and nothing after the end', async () => {
  const { power, events, over, orders } = make()
  power.words.set('ftp', 'perhaps')
  await orders.order({ command: 'power', target: 'ftp', verb: 'status', request: 1 })
  await orders.order({ command: 'power', target: 'login', verb: 'status', request: 2 })
  expect(events).toMatchObject([{ state: 'unknown', detail: expect.stringContaining('tells neither on nor off') }, { state: 'unknown' }])
  over.abort()
  await orders.order({ command: 'power', target: 'ftp', verb: 'status', request: 3 })
  expect(events).toHaveLength(2)
})
