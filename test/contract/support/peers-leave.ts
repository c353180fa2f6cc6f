/** Run as a process: two peers meet, talk and stop. It must then end by itself, without process.exit. */
import { Heard, libp2pWorld } from './peers-world.ts'

const world = await libp2pWorld()
const pair = world.members.slice(0, 2).map(self => world.make(self, new Heard()))
for (const peers of pair) await peers.start(new AbortController().signal)
pair[0]?.setNeighbours(['http'])
while (!pair.every(peers => peers.reachable().length === 1)) await new Promise(resolve => setTimeout(resolve, 20))
pair[0]?.publish('hello')
await new Promise(resolve => setTimeout(resolve, 600))
await Promise.all(pair.map(peers => peers.stop()))
console.log('stopped')
