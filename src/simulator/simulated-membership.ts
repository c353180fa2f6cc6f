/** Publications of another ring in virtual time: each host learns of them at a moment of its own, when its shared area answers. */
import type { Inventory, Server } from '../core/inventory.ts'
import type { RandomStream } from './prng.ts'
import { sampleInventory } from './sample-inventory.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { World } from './world.ts'

/** The Executers look every 5 s, and may be late. */
export const LEARN_SPREAD_MS = 10_000
/** A host whose shared area is away looks again. */
const LOOK_AGAIN_MS = 1_000
/** Fewer hosts are not made fewer. */
const LEAST_HOSTS = 3

const publication = (inventory: Inventory): number => Number(inventory.version.split('-')[1] ?? 0)

/** A host that was taken out earlier, or a new one, at a random place of the ring; it is switched on meanwhile. Undefined: nobody is left to join. */
export function joinHost(world: World, random: RandomStream, wanted?: string): string | undefined {
  const outside = sampleInventory(12).servers.filter(server => !world.names.includes(server.name))
  const again = outside.filter(server => world.hosts.has(server.name))
  const server = wanted === undefined ? (again.length > 0 && random.next() < 0.5 ? again : outside)[0] : outside.find(({ name }) => name === wanted)
  if (!server) return undefined
  const host = world.addHost(server.name)
  host.wakeable = true
  host.powerOn()
  const servers = [...world.inventory.servers]
  servers.splice(Math.floor(random.between(0, servers.length + 1)), 0, server)
  publish(world, servers, random)
  return server.name
}

/** It is never switched on again by the ring. */
export function forgetHost(world: World, name: string, random: RandomStream): void {
  if (!world.names.includes(name) || world.names.length <= LEAST_HOSTS) return
  world.host(name).wakeable = false
  publish(world, world.inventory.servers.filter(server => server.name !== name), random)
}

/** The other policy of R8. */
export function changeRide(world: World, random: RandomStream): void {
  publish(world, world.inventory.servers, random, world.inventory.ride === 'majority' ? 'all' : 'majority')
}

function publish(world: World, servers: readonly Server[], random: RandomStream, ride = world.inventory.ride): void {
  const inventory: Inventory = { ...world.inventory, version: `sample-${publication(world.inventory) + 1}`, servers, ...ride === undefined ? {} : { ride } }
  world.inventory = inventory
  world.names = servers.map(server => server.name)
  world.note(`published ${inventory.version}: ${world.names.join(' ')}`)
  for (const host of world.hosts.values()) world.queue.after(random.between(0, LEARN_SPREAD_MS), () => learn(host, inventory))
}

function learn(host: SimulatedHost, inventory: Inventory): void {
  const { world } = host
  if (publication(inventory) <= publication(host.inventory)) return
  if (world.share.isAway(host.name) || host.frozen === 'everything') return world.queue.after(LOOK_AGAIN_MS, () => learn(host, inventory))
  host.learn(inventory)
}
