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

/** Seed 500045 of the swarm schedules: the guard renewed under a generation that had been used, as soon as its agent told it whom it asks for promises. */
describe('a disk that was put back', () => {
  const STEP_MS = 20_000

  it.each(['goes on', 'is killed'])('renews nothing before the share has said which generations were used: its guard %s', fate => {
    const world = new World(sampleInventory(3), 1)
    for (const name of world.names) world.host(name).powerOn()
    const ftp = world.host('ftp')
    let at_ms = START_MS
    world.queue.runUntil(at_ms)
    for (let lives = 0; lives < 4; lives++) {
      ftp.reboot()
      world.queue.runUntil(at_ms += STEP_MS)
    }
    const former = ftp.guard!.generation
    ftp.powerOff()
    ftp.restoreDisk(former)
    ftp.powerOn()
    while (!ftp.guard) world.queue.runUntil(at_ms += 1)
    // Its read of the share is on its way.
    ftp.guard.agentPresent(true)
    ftp.guard.electorateIs(['login', 'proxy'])
    if (fate === 'is killed') ftp.killGuard()
    const leased = new Set<number>()
    for (const ends_ms = at_ms + STEP_MS; at_ms < ends_ms; at_ms += 1) {
      world.queue.runUntil(at_ms)
      const own = ftp.core?.own
      if (own && own.deadline_ms > ftp.clock.now_ms) leased.add(own.generation)
    }
    expect([...leased]).toEqual([world.share.leases.get('ftp')!.generation])
    expect([...leased][0]).toBeGreaterThan(former)
  })
})
