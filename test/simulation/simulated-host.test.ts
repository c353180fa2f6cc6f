/** A simulated host does what a real one can. */
import { describe, expect, it } from 'vitest'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { World } from '../../src/simulator/world.ts'

const START_MS = 15_000

describe('an agent that is killed', () => {
  const ring = (): World => {
    const world = new World(sampleInventory(3), 1)
    for (const name of world.names) world.host(name).powerOn()
    world.queue.runUntil(START_MS)
    return world
  }

  it('comes back on a host that runs', () => {
    const world = ring()
    world.host('ftp').killAgent()
    expect(world.host('ftp').core).toBeUndefined()
    world.queue.runUntil(START_MS + 2_000)
    expect(world.host('ftp').core).toBeDefined()
  })

  it('does not come back on a host without power', () => {
    const world = ring()
    world.host('ftp').wakeable = false
    world.host('ftp').powerOff()
    world.host('ftp').killAgent()
    world.queue.runUntil(START_MS + 2_000)
    expect(world.host('ftp').core).toBeUndefined()
  })
})
