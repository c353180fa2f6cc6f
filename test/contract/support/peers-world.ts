import { createServer } from 'node:net'
import { SystemClock } from '../../../src/edges/clock.ts'
import { generateIdentity, generatePsk, peerIdOf } from '../../../src/edges/peers/identity.ts'
import { Libp2pPeers } from '../../../src/edges/peers/libp2p-peers.ts'
import { MemoryBus, MemoryPeers } from '../../../src/edges/peers/memory-peers.ts'
import type { PeerMember, Peers, PeersEvents } from '../../../src/edges/peers/peers.ts'

export interface MakeOptions {
  readonly members?: readonly PeerMember[]
  /** Uses another pre-shared key than the ring. */
  readonly foreign_key?: boolean
  readonly log?: (message: string) => void
}

/** Members of a ring, and a way to make their peers edge: real, or in memory. */
export interface World {
  readonly members: readonly PeerMember[]
  /** Has an identity of its own and is on nobody's list. It is one that dials (smaller identity), or nothing could be refused. */
  readonly stranger: PeerMember
  make(self: PeerMember, events: PeersEvents, options?: MakeOptions): Peers
}

export interface LibpWorld extends World {
  readonly psk: Uint8Array
  identityOf(name: string): Uint8Array
}

const NAMES = ['ftp', 'http', 'mail', 'stranger']

export async function libp2pWorld(): Promise<LibpWorld> {
  const keys: Uint8Array[] = []
  for (let count = 0; count < NAMES.length; count++) keys.push(await generateIdentity())
  keys.sort((one, other) => peerIdOf(other) < peerIdOf(one) ? -1 : 1)
  const psk = generatePsk()
  const identities = new Map<string, Uint8Array>()
  const all: PeerMember[] = []
  for (const [index, name] of NAMES.entries()) {
    const key = keys[index] ?? new Uint8Array()
    const address = `127.0.0.${index + 2}`
    identities.set(name, key)
    all.push({ name, address, port: await freePort(address), peer_id: peerIdOf(key) })
  }
  const identityOf = (name: string): Uint8Array => identities.get(name) ?? new Uint8Array()
  return {
    psk, identityOf,
    members: all.slice(0, 3),
    stranger: all[3] as PeerMember,
    make: (self, events, options = {}) => new Libp2pPeers({
      self, members: options.members ?? all.slice(0, 3), identity: identityOf(self.name),
      psk: options.foreign_key ? generatePsk() : psk, events, clock: new SystemClock(), log: message => options.log?.(message),
    }),
  }
}

export function memoryWorld(): Promise<World> {
  const bus = new MemoryBus()
  const all = NAMES.map((name, index) => ({ name, address: `127.0.0.${index + 2}`, port: 1, peer_id: `peer-${name}` }))
  return Promise.resolve({
    members: all.slice(0, 3),
    stranger: all[3] as PeerMember,
    make: (self, events, options = {}) => new MemoryPeers({
      bus, self, events, members: options.members ?? all.slice(0, 3), ring_key: options.foreign_key ? 'another' : 'ring',
    }),
  })
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, address, () => {
      const place = server.address()
      server.close(() => resolve(typeof place === 'object' && place ? place.port : 0))
    })
  })
}

/** Everything a peers edge reported. */
export class Heard implements PeersEvents {
  readonly messages: { from: string; message: unknown }[] = []
  readonly gossip: { from: string; message: unknown }[] = []
  readonly reach: { name: string; reachable: boolean; why: string }[] = []
  readonly refused: string[] = []
  onMessage(from: string, message: unknown): void { this.messages.push({ from, message }) }
  onGossip(from: string, message: unknown): void { this.gossip.push({ from, message }) }
  onReach(name: string, reachable: boolean, why: string): void { this.reach.push({ name, reachable, why }) }
  onRefused(what: string): void { this.refused.push(what) }
}
