import './with-resolvers.ts'
import type { Connection, Stream } from '@libp2p/interface'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { reasonOf, RingwardError } from '../../errors.ts'
import { decodeGossip, encodeGossip, GossipFilter, GOSSIP_TOPIC } from './gossip.ts'
import { Heartbeats } from './heartbeats.ts'
import { assertPsk, peerIdOf } from './identity.ts'
import { toJson } from './json.ts'
import { Link, LINK_PROTOCOL, type LinkContext } from './link.ts'
import { Members, sameMember } from './members.ts'
import { createNode, type RingNode } from './node.ts'
import { HEARTBEAT_LIMIT_MS, HEARTBEAT_MS, type Libp2pPeersOptions } from './options.ts'
import type { PeerMember, Peers } from './peers.ts'
import { Refusals } from './refusals.ts'

/** One link a connection, and its successor while the former is being given up. */
const STREAMS_PER_CONNECTION = 4

/** The members' connections over libp2p: a kept-open stream to each of them, gossip to all. */
export class Libp2pPeers implements Peers {
  private readonly options: Libp2pPeersOptions
  private readonly members: Members
  private readonly refusals: Refusals
  private readonly filter = new GossipFilter()
  private readonly heartbeats: Heartbeats
  private readonly links = new Map<string, Link>()
  private neighbours: ReadonlySet<string> = new Set()
  private sequence: bigint
  private node: RingNode | undefined
  private ending: Promise<void> | undefined
  private releaseSignal: (() => void) | undefined

  /** Throws KEY_UNREADABLE when a key is no key, or the identity is not the one the members know `self` by. */
  constructor(options: Libp2pPeersOptions) {
    const peer_id = peerIdOf(options.identity)
    if (peer_id !== options.self.peer_id) {
      throw new RingwardError('KEY_UNREADABLE', `the identity key of ${options.self.name} is that of ${peer_id}, but its peer id is published as ${options.self.peer_id}; publish the new one or restore the key file`)
    }
    assertPsk(options.psk)
    this.options = options
    this.refusals = new Refusals(options.clock, what => { if (!this.ending) options.events.onRefused(what) })
    this.members = new Members([])
    // Microseconds since 1970: larger than any former start of this host has reached, whatever it sent.
    this.sequence = BigInt(options.clock.wall().getTime()) * 1_000n
    this.heartbeats = new Heartbeats({
      clock: options.clock,
      heartbeat_ms: options.heartbeat_ms ?? HEARTBEAT_MS,
      limit_ms: options.limit_ms ?? HEARTBEAT_LIMIT_MS,
      watched: () => [...this.links.values()].filter(link => link.watched),
    })
    this.setMembers(options.members)
  }

  /** Listens and begins to dial. Rejects with PEERS_UNAVAILABLE or ABORTED; the signal ends it later as `stop` does. */
  async start(signal: AbortSignal): Promise<void> {
    const { self, identity, psk } = this.options
    if (this.node || this.ending) throw new RingwardError('PEERS_UNAVAILABLE', 'the peers have been started already; make new ones')
    const node = await createNode({ self, identity, psk, members: this.members, refusals: this.refusals })
    try {
      this.assertWanted(signal)
      this.node = node
      await node.handle(LINK_PROTOCOL, (stream, connection) => this.accept(stream, connection), { maxInboundStreams: STREAMS_PER_CONNECTION, maxOutboundStreams: STREAMS_PER_CONNECTION })
      this.listenToGossip(node)
      await node.start()
      this.assertWanted(signal)
    } catch (error) {
      await this.stop()
      // A stop that came while the node was starting has not reached it.
      await node.stop()
      if (error instanceof RingwardError) throw error
      throw new RingwardError('PEERS_UNAVAILABLE', `${self.name} cannot listen on ${self.address} port ${self.port}: ${reasonOf(error)}`, { cause: error })
    }
    const onAbort = (): void => void this.stop()
    signal.addEventListener('abort', onAbort, { once: true })
    this.releaseSignal = () => signal.removeEventListener('abort', onAbort)
    this.matchLinks()
    this.heartbeats.start()
  }

  setMembers(members: readonly PeerMember[]): void {
    this.members.set(members)
    const { self } = this.options
    this.filter.setAuthors(members.filter(member => member.name !== self.name).map(member => member.name))
    if (this.node?.status === 'started' && !this.ending) this.matchLinks()
  }

  setNeighbours(names: readonly string[]): void {
    this.neighbours = new Set(names)
    for (const link of this.links.values()) link.watched = this.neighbours.has(link.member.name)
  }

  send(to: string, message: unknown): boolean {
    const link = this.links.get(to)
    return !this.ending && link?.reachable === true && link.send(toJson(message))
  }

  publish(message: unknown): void {
    const { self, log } = this.options
    if (this.node?.status !== 'started' || this.ending) return
    const payload = encodeGossip(self.name, ++this.sequence, message)
    if (!payload) return log('a gossip message is too large and was not sent', {})
    this.node.services.pubsub.publish(GOSSIP_TOPIC, payload).catch((error: unknown) => {
      if (!this.ending) log(`gossip was not sent: ${reasonOf(error)}`, {})
    })
  }

  reachable(): string[] {
    return [...this.links.values()].filter(link => link.reachable).map(link => link.member.name)
  }

  stop(): Promise<void> {
    this.ending ??= this.end()
    return this.ending
  }

  private async end(): Promise<void> {
    this.releaseSignal?.()
    this.heartbeats.stop()
    await Promise.all([...this.links.values()].map(link => link.stop()))
    this.links.clear()
    try {
      await this.node?.stop()
    } catch (error) {
      this.options.log(`the peers did not stop cleanly: ${reasonOf(error)}`, {})
    }
  }

  private assertWanted(signal: AbortSignal): void {
    if (signal.aborted || this.ending) throw new RingwardError('ABORTED', 'the start of the peers was called off')
  }

  /** Links follow the members: new ones begin, changed ones begin anew, others end. */
  private matchLinks(): void {
    const { node, options: { self, clock, log, events } } = this
    if (!node) return
    for (const [name, link] of this.links) {
      const member = this.members.get(name)
      if (member && sameMember(member, link.member)) continue
      this.links.delete(name)
      void link.stop()
      if (link.reachable) events.onReach(name, false, member ? 'its place or key has changed' : 'it is no longer a member')
    }
    for (const connection of node.getConnections()) {
      const name = this.members.nameOf(connection.remotePeer.toString())
      if (name === undefined) connection.abort(new Error('not a member'))
    }
    const context: LinkContext = {
      node, self, clock, log, refusals: this.refusals,
      onMessage: (from, message) => events.onMessage(from, message),
      onReach: (name, reachable, why) => {
        if (reachable) this.filter.restart(name)
        events.onReach(name, reachable, why)
      },
    }
    for (const member of this.members.all()) {
      if (member.name === self.name || this.links.has(member.name)) continue
      const link = new Link(member, context)
      link.watched = this.neighbours.has(member.name)
      this.links.set(member.name, link)
      link.start()
    }
  }

  private accept(stream: Stream, connection: Connection): void {
    const link = this.links.get(this.members.nameOf(connection.remotePeer.toString()) ?? '')
    if (link && !this.ending) link.accept(stream, connection)
    else connection.abort(new Error('no link is kept to this peer'))
  }

  private listenToGossip(node: RingNode): void {
    const { pubsub } = node.services
    // What cannot be read is not passed on, so only the hop it came from can have made it.
    pubsub.topicValidators.set(GOSSIP_TOPIC, (hop, message) => {
      const payload = decodeGossip(message.data)
      if (payload) return this.filter.isAuthor(payload.author_key) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
      this.links.get(this.members.nameOf(hop.toString()) ?? '')?.blame('sent gossip that cannot be read')
      return TopicValidatorResult.Reject
    })
    pubsub.addEventListener('message', event => {
      const payload = this.ending || event.detail.topic !== GOSSIP_TOPIC ? undefined : decodeGossip(event.detail.data)
      const author = payload && this.filter.accept(payload)
      if (author !== undefined) this.options.events.onGossip(author, payload?.message)
    })
    // The subscription itself waits for the start of the service.
    node.addEventListener('start', () => pubsub.subscribe(GOSSIP_TOPIC), { once: true })
  }
}
