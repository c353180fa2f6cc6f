import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PeerMember, Peers } from '../../src/edges/peers/peers.ts'
import { Heard, libp2pWorld, memoryWorld, type MakeOptions, type World } from './support/peers-world.ts'

/** Only against hanging: two busy cores take seconds for what takes 50 ms. */
const PATIENCE = { timeout: 20_000, interval: 20 }

describe.each([
  { kind: 'libp2p', makeWorld: libp2pWorld },
  { kind: 'memory', makeWorld: memoryWorld },
])('peers over $kind', { timeout: 60_000 }, ({ makeWorld }) => {
  let world: World
  let running: Peers[] = []

  beforeEach(async () => {
    world = await makeWorld()
  })

  afterEach(async () => {
    await Promise.all(running.map(peers => peers.stop()))
    running = []
  })

  const member = (name: string): PeerMember => {
    const found = [...world.members, world.stranger].find(one => one.name === name)
    if (!found) throw new Error(`no member ${name}`)
    return found
  }

  const begin = async (name: string, options?: MakeOptions): Promise<{ peers: Peers; heard: Heard }> => {
    const heard = new Heard()
    const peers = world.make(member(name), heard, options)
    running.push(peers)
    await peers.start(new AbortController().signal)
    return { peers, heard }
  }

  const ring = async () => {
    const [ftp, http, mail] = [await begin('ftp'), await begin('http'), await begin('mail')]
    ftp.peers.setNeighbours(['http', 'mail'])
    http.peers.setNeighbours(['ftp', 'mail'])
    mail.peers.setNeighbours(['ftp', 'http'])
    await vi.waitFor(() => {
      expect(ftp.peers.reachable().sort()).toEqual(['http', 'mail'])
      expect(http.peers.reachable().sort()).toEqual(['ftp', 'mail'])
      expect(mail.peers.reachable().sort()).toEqual(['ftp', 'http'])
    }, PATIENCE)
    return { ftp, http, mail }
  }

  test('every member reaches every other one and says so once', async () => {
    const { ftp, http, mail } = await ring()
    for (const one of [ftp, http, mail]) {
      expect(one.heard.reach).toHaveLength(2)
      expect(one.heard.reach.every(reach => reach.reachable && reach.why !== '')).toBe(true)
      expect(one.heard.refused).toEqual([])
    }
  })

  test('messages arrive in order, both ways', async () => {
    const { ftp, http } = await ring()
    const numbers = Array.from({ length: 50 }, (_, number) => number)
    for (const number of numbers) {
      expect(ftp.peers.send('http', { number, text: 'ü'.repeat(100) })).toBe(true)
      expect(http.peers.send('ftp', { number })).toBe(true)
    }
    await vi.waitFor(() => {
      expect(http.heard.messages).toEqual(numbers.map(number => ({ from: 'ftp', message: { number, text: 'ü'.repeat(100) } })))
      expect(ftp.heard.messages).toEqual(numbers.map(number => ({ from: 'http', message: { number } })))
    }, PATIENCE)
  })

  test('gossip reaches all, once', async () => {
    const { ftp, http, mail } = await ring()
    // Who listens to gossip is itself gossiped after the link is up, so the first words may reach nobody.
    await vi.waitFor(() => {
      ftp.peers.publish('anybody?')
      expect(http.heard.gossip).not.toEqual([])
      expect(mail.heard.gossip).not.toEqual([])
    }, { timeout: 20_000, interval: 200 })
    for (const number of [1, 2, 3, 4, 5]) {
      ftp.peers.publish({ number })
      await vi.waitFor(() => {
        for (const { heard } of [http, mail]) expect(heard.gossip.at(-1)).toEqual({ from: 'ftp', message: { number } })
      }, PATIENCE)
    }
    for (const { heard } of [http, mail]) {
      const numbered = heard.gossip.filter(one => one.message !== 'anybody?')
      expect(numbered).toHaveLength(5)
    }
    expect(ftp.heard.gossip).toEqual([])
  })

  test('a stopped member is seen down, cannot be sent to, and is up again with the same identity', async () => {
    const { ftp, http, mail } = await ring()
    await http.peers.stop()
    await vi.waitFor(() => {
      for (const { heard } of [ftp, mail]) expect(heard.reach.at(-1)).toMatchObject({ name: 'http', reachable: false })
    }, PATIENCE)
    expect(ftp.peers.send('http', 'hello?')).toBe(false)
    expect(ftp.peers.reachable()).toEqual(['mail'])
    expect(http.peers.reachable()).toEqual([])
    const again = await begin('http')
    await vi.waitFor(() => {
      for (const { heard } of [ftp, mail]) expect(heard.reach.at(-1)).toMatchObject({ name: 'http', reachable: true })
      expect(again.peers.reachable().sort()).toEqual(['ftp', 'mail'])
    }, PATIENCE)
    expect(ftp.peers.send('http', 'welcome')).toBe(true)
    await vi.waitFor(() => expect(again.heard.messages).toEqual([{ from: 'ftp', message: 'welcome' }]), PATIENCE)
    await vi.waitFor(() => {
      again.peers.publish('I am back')
      expect(ftp.heard.gossip.at(-1)).toEqual({ from: 'http', message: 'I am back' })
    }, { timeout: 20_000, interval: 200 })
  })

  test('a stranger with the right ring key is refused', async () => {
    const ftp = await begin('ftp')
    const stranger = await begin('stranger', { members: [...world.members, world.stranger] })
    await vi.waitFor(() => expect(ftp.heard.refused).not.toEqual([]), PATIENCE)
    expect(ftp.heard.refused.join()).toContain('not a member')
    expect(stranger.peers.reachable()).toEqual([])
    expect(stranger.heard.reach).toEqual([])
    expect(ftp.heard.reach).toEqual([])
  })

  test('a member with another ring key is refused', { timeout: 90_000 }, async () => {
    const ftp = await begin('ftp')
    const http = await begin('http', { foreign_key: true })
    // What a wrong key makes of a handshake is noise, and some of it looks like a peer that hung up: a few dials, one a second, may pass unnamed.
    await vi.waitFor(() => expect(ftp.heard.refused.join()).toContain('another ring key'), { ...PATIENCE, timeout: 55_000 })
    expect(ftp.heard.reach).toEqual([])
    expect(http.heard.reach).toEqual([])
  })

  test('a message to a host that is not there is not taken', async () => {
    const ftp = await begin('ftp')
    expect(ftp.peers.send('http', 'hello?')).toBe(false)
    expect(ftp.peers.send('nobody', 'hello?')).toBe(false)
    expect(() => ftp.peers.publish('alone')).not.toThrow()
  })

  test('members leave and join at run time', async () => {
    const { ftp, mail } = await ring()
    ftp.peers.setMembers(world.members.filter(one => one.name !== 'mail'))
    await vi.waitFor(() => {
      expect(ftp.peers.reachable()).toEqual(['http'])
      expect(mail.peers.reachable()).toEqual(['http'])
    }, PATIENCE)
    expect(ftp.heard.reach.at(-1)).toMatchObject({ name: 'mail', reachable: false })
    expect(ftp.peers.send('mail', 'hello?')).toBe(false)
    ftp.peers.setMembers(world.members)
    await vi.waitFor(() => {
      expect(ftp.peers.reachable().sort()).toEqual(['http', 'mail'])
      expect(mail.peers.reachable().sort()).toEqual(['ftp', 'http'])
    }, PATIENCE)
  })

  test('the signal of the start ends it like a stop', async () => {
    const first = await begin('ftp')
    const heard = new Heard()
    const second = world.make(member('http'), heard)
    running.push(second)
    const controller = new AbortController()
    await second.start(controller.signal)
    await vi.waitFor(() => expect(first.peers.reachable()).toEqual(['http']), PATIENCE)
    controller.abort()
    await vi.waitFor(() => expect(first.peers.reachable()).toEqual([]), PATIENCE)
    expect(second.reachable()).toEqual([])
  })
})
