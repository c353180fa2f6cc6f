/**
 * One of three hosts dies, and one of the two others is cut off from everything but the shared area, before or after that: who is cut off from the clients gives
 * nothing in the end, as far as a gateway can tell, and never two hosts give the same.
 */
import { describe, expect, it } from 'vitest'
import { between } from '../../src/simulator/network-faults.ts'
import { RandomStream } from '../../src/simulator/prng.ts'
import { SAMPLE_MS } from '../../src/simulator/sample-cuts.ts'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { World } from '../../src/simulator/world.ts'

const START_MS = 15_000
const SPREAD_MS = 6_000
const STORY_MS = 45_000
/** D_exp and a start; then a question, five intervals alone, and another start. */
const GIVEN_MS = 12_000

interface Told {
  readonly world: World
  /** Longest that clients were without the dead host's function. */
  readonly cut_ms: number
  /** And longest that no host gave it at all. */
  readonly ungiven_ms: number
}

const givers = ({ hosts }: World, name: string): number => [...hosts.values()].filter(host => host.addresses.has(name) || host.virtual_servers.get(name)?.address).length

/** Which of the three dies, when, and when the network is lost, are the seed's. */
function tell(seed: number, gateway: boolean, lose: (world: World, one: string, other: string) => void): Told {
  const world = new World(sampleInventory(3, { gateway }), seed)
  const random = new RandomStream(seed, 'story')
  for (const name of world.names) world.queue.after(random.between(0, 1_500), () => world.host(name).powerOn())
  world.queue.runUntil(START_MS + random.between(0, 1_000))
  const dead = random.pick(world.names)
  const one = random.pick(world.names.filter(name => name !== dead))
  const other = world.names.find(name => name !== dead && name !== one)!
  world.host(dead).wakeable = false
  world.queue.after(random.between(0, SPREAD_MS), () => world.host(dead).powerOff())
  world.queue.after(random.between(0, SPREAD_MS), () => lose(world, one, other))
  const until_ms = world.queue.now_ms + STORY_MS
  const [now, longest] = [{ cut_ms: 0, ungiven_ms: 0 }, { cut_ms: 0, ungiven_ms: 0 }]
  while (world.queue.now_ms < until_ms) {
    world.queue.runUntil(world.queue.now_ms + SAMPLE_MS)
    now.cut_ms = world.isServed(dead) ? 0 : now.cut_ms + SAMPLE_MS
    now.ungiven_ms = givers(world, dead) > 0 ? 0 : now.ungiven_ms + SAMPLE_MS
    longest.cut_ms = Math.max(longest.cut_ms, now.cut_ms)
    longest.ungiven_ms = Math.max(longest.ungiven_ms, now.ungiven_ms)
  }
  return { world, ...longest }
}

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1)

describe('the last two hosts of three', () => {
  it.each(SEEDS)('with a gateway clients are served by the one that it answers, seed %i', seed => {
    const { world, cut_ms } = tell(seed, true, (all, one) => all.isolate(one))
    expect(world.checker.violations).toEqual([])
    expect(world.names.filter(name => !world.isServed(name))).toEqual([])
    expect(cut_ms).toBeLessThanOrEqual(GIVEN_MS)
  })

  it.each(SEEDS)('that lose one another alone give the third one\'s function once, seed %i', seed => {
    for (const gateway of [false, true]) {
      const { world, cut_ms } = tell(seed, gateway, (all, one, other) => all.cut(between([[one], [other]])))
      expect(world.checker.violations).toEqual([])
      expect(world.names.filter(name => !world.isServed(name))).toEqual([])
      expect(cut_ms).toBeLessThanOrEqual(GIVEN_MS)
    }
  })

  it.each(SEEDS)('without a gateway one of them gives it, whoever it is, seed %i', seed => {
    const { world, ungiven_ms } = tell(seed, false, (all, one) => all.isolate(one))
    expect(world.checker.violations).toEqual([])
    expect(ungiven_ms).toBeLessThanOrEqual(GIVEN_MS)
  })
})
