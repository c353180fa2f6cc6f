import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SystemClock } from '../../src/edges/clock.ts'
import { encodeFrame, FRAME_LIMIT_BYTES } from '../../src/edges/peers/frame.ts'
import { GOSSIP_TOPIC } from '../../src/edges/peers/gossip.ts'
import { Libp2pPeers } from '../../src/edges/peers/libp2p-peers.ts'
import { LINK_PROTOCOL } from '../../src/edges/peers/link.ts'
import { Members } from '../../src/edges/peers/members.ts'
import { createNode, type RingNode } from '../../src/edges/peers/node.ts'
import type { PeerMember, Peers } from '../../src/edges/peers/peers.ts'
import { Refusals } from '../../src/edges/peers/refusals.ts'
import { Heard, libp2pWorld, type LibpWorld } from './support/peers-world.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }

/** What only the network can do: a member that is silent, faulty or hostile. `ftp` is ours, `mail` is driven by hand (it dials). */
describe('libp2p peers and a faulty member', { timeout: 60_000 }, () => {
  let world: LibpWorld
  let ftp: Peers
  let heard: Heard
  let lines: string[]
  let mail: RingNode
  const others: Peers[] = []

  beforeEach(async () => {
    world = await libp2pWorld()
    heard = new Heard()
    lines = []
    const clock = new SystemClock()
    const [self, , faulty] = world.members as [PeerMember, PeerMember, PeerMember]
    ftp = new Libp2pPeers({ self, members: world.members, identity: world.identityOf('ftp'), psk: world.psk, heartbeat_ms: 50, limit_ms: 300, events: heard, clock, log: line => lines.push(line) })
    await ftp.start(new AbortController().signal)
    mail = await createNode({ self: faulty, identity: world.identityOf('mail'), psk: world.psk, members: new Members(world.members), refusals: new Refusals(clock, () => {}) })
    await mail.start()
  })

  afterEach(async () => {
    await Promise.all([ftp.stop(), mail.stop(), ...others.splice(0).map(peers => peers.stop())])
  })

  const dial = async (): Promise<Stream> => {
    const self = world.members[0] as PeerMember
    const connection = await mail.dial(multiaddr(`/ip4/${self.address}/tcp/${self.port}/p2p/${self.peer_id}`))
    const stream = await connection.newStream(LINK_PROTOCOL)
    stream.addEventListener('message', () => {})
    return stream
  }
  const hello = async (): Promise<Stream> => {
    const stream = await dial()
    stream.send(encodeFrame('hello') as Uint8Array)
    await vi.waitFor(() => expect(ftp.reachable()).toEqual(['mail']), PATIENCE)
    return stream
  }

  test('a neighbour that does not answer is down with the reason; a mere member is not', async () => {
    await hello()
    await new Promise(resolve => setTimeout(resolve, 600))
    expect(ftp.reachable()).toEqual(['mail'])
    ftp.setNeighbours(['mail'])
    await vi.waitFor(() => expect(ftp.reachable()).toEqual([]), PATIENCE)
    expect(heard.reach.at(-1)?.why).toContain('no heartbeat')
  })

  test('it suffices that one side beats', async () => {
    const http = world.make(world.members[1] as PeerMember, new Heard())
    others.push(http)
    await http.start(new AbortController().signal)
    await vi.waitFor(() => expect(ftp.reachable()).toEqual(['http']), PATIENCE)
    ftp.setNeighbours(['http'])
    await new Promise(resolve => setTimeout(resolve, 1_000))
    expect(heard.reach).toEqual([{ name: 'http', reachable: true, why: 'connected' }])
  })

  test('who opens a stream and says nothing is not up', async () => {
    await dial()
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(ftp.reachable()).toEqual([])
    expect(ftp.send('mail', 'hello?')).toBe(false)
  })

  test.each([
    ['JSON that is none', encodeFrame('message', Buffer.from('{"half":')), 'not JSON'],
    ['text that is not UTF-8', encodeFrame('message', Uint8Array.from([0x22, 0xff, 0x22])), 'not JSON'],
    ['an unknown type', Uint8Array.from([0, 0, 0, 1, 77]), 'unknown type 77'],
    ['a giant frame', Uint8Array.from([0xff, 0xff, 0xff, 0xff, 3]), 'bytes'],
    ['a second hello', encodeFrame('hello'), 'second hello'],
  ])('%s closes the link, is logged, and the member may come back', async (_what, bytes, words) => {
    const stream = await hello()
    stream.send(bytes as Uint8Array)
    await vi.waitFor(() => expect(ftp.reachable()).toEqual([]), PATIENCE)
    expect(lines.join()).toContain(words)
    expect(heard.messages).toEqual([])
    await vi.waitFor(hello, { timeout: 20_000, interval: 300 })
  })

  test('gossip that cannot be read closes the link it came over; an unknown author is dropped', async () => {
    await hello()
    mail.services.pubsub.subscribe(GOSSIP_TOPIC)
    await mail.services.pubsub.publish(GOSSIP_TOPIC, Buffer.concat([Buffer.alloc(16, 1), Buffer.from('"who am I?"')]))
    await vi.waitFor(async () => {
      await mail.services.pubsub.publish(GOSSIP_TOPIC, Buffer.from(`${Math.random()} no payload at all`))
      expect(ftp.reachable()).toEqual([])
    }, { timeout: 20_000, interval: 200 })
    expect(lines.join()).toContain('gossip that cannot be read')
    expect(heard.gossip).toEqual([])
  })

  test('a member that does not read is told so to the caller, without end of memory', async () => {
    const stream = await hello()
    stream.pause()
    const message = 'x'.repeat(64 * 1024)
    let taken = 0
    await vi.waitFor(() => {
      for (let count = 0; count < 50; count++) if (ftp.send('mail', message)) taken++
      expect(ftp.send('mail', message)).toBe(false)
    }, PATIENCE)
    expect(taken * message.length).toBeLessThan(16 * 1024 * 1024)
    expect(ftp.send('mail', 'y'.repeat(FRAME_LIMIT_BYTES))).toBe(false)
  })

  test('a socket full of noise is refused and reported', async () => {
    const self = world.members[0] as PeerMember
    const socket = connect(self.port, self.address)
    socket.on('error', () => {})
    socket.write(Buffer.alloc(500, 65))
    await vi.waitFor(() => expect(heard.refused.join()).toContain('127.0.0.1: the handshake failed'), PATIENCE)
    socket.destroy()
  })

  test('a port that is taken rejects the start with the reason and leaves nothing', async () => {
    const second = world.make(world.members[0] as PeerMember, new Heard())
    others.push(second)
    await expect(second.start(new AbortController().signal)).rejects.toMatchObject({ code: 'PEERS_UNAVAILABLE' })
  })
})

test('stopped peers leave no handle: their process ends by itself', { timeout: 60_000 }, async () => {
  const program = fileURLToPath(new URL('support/peers-leave.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], { timeout: 50_000 })
  expect(stdout).toContain('stopped')
})
