import './with-resolvers.ts'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { reasonOf } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { Channel } from './channel.ts'
import { Dialler, LONGEST_PAUSE_MS } from './dialler.ts'
import { hungUp } from './gatekeeper.ts'
import type { Watched } from './heartbeats.ts'
import { addressOf, DIAL_LIMIT_MS, type RingNode } from './node.ts'
import type { PeerMember } from './peers.ts'
import type { PeersLog } from './options.ts'
import type { Refusals } from './refusals.ts'

/** The kept-open stream of a pair of hosts. */
export const LINK_PROTOCOL = '/ringward/link/1'
/** A link that lasted less does not count as a good one: the next dial waits longer. */
const GOOD_LINK_MS = 1_000
/** Different reasons of failed dials that are logged before the link is up again; a dead host has one or two. */
const REASONS_LIMIT = 8

export interface LinkContext {
  readonly node: RingNode
  readonly self: PeerMember
  readonly clock: Clock
  readonly log: PeersLog
  readonly refusals: Refusals
  readonly onMessage: (from: string, message: unknown) => void
  readonly onReach: (name: string, reachable: boolean, why: string) => void
}

/**
 * The link to one member. Of each pair the host with the smaller peer identity dials, always: if both did, lasting duplicate connections
 * would remain. libp2p itself gives up on lost peers after some time, so dialling for ever is done here.
 */
export class Link implements Watched {
  readonly member: PeerMember
  private readonly context: LinkContext
  private readonly dialler: Dialler | undefined
  private channel: Channel | undefined
  private is_up = false
  private up_ms = 0
  private is_watched = false
  private is_stopped = false
  private refuse_until_ms = 0
  private readonly failures = new Set<string>()

  constructor(member: PeerMember, context: LinkContext) {
    this.member = member
    this.context = context
    const dials = context.self.peer_id < member.peer_id
    this.dialler = dials ? new Dialler(signal => this.connect(signal), DIAL_LIMIT_MS) : undefined
  }

  start(): void {
    this.dialler?.ask()
  }

  /** Ends the link after what was sent is written; reports nothing any more. */
  async stop(): Promise<void> {
    this.is_stopped = true
    this.dialler?.stop()
    await this.channel?.finish()
  }

  get reachable(): boolean {
    return this.is_up
  }

  set watched(watched: boolean) {
    if (watched && !this.is_watched) this.excuse(this.context.clock.boot_ms())
    this.is_watched = watched
  }

  get watched(): boolean {
    return this.is_watched
  }

  send(body: Uint8Array): boolean {
    return this.channel?.send(body) ?? false
  }

  beat(): void {
    if (this.is_up) this.channel?.sendControl('beat')
  }

  heard_ms(): number | undefined {
    return this.is_up ? this.channel?.heard_ms : undefined
  }

  excuse(now_ms: number): void {
    if (this.channel) this.channel.heard_ms = Math.max(this.channel.heard_ms, now_ms)
  }

  accuse(why: string): void {
    this.channel?.close(why)
  }

  /** The member sent what no member of this version sends. */
  blame(why: string): void {
    this.channel?.close(why, true)
  }

  /** A stream the member has opened; its identity is proven by the connection. */
  accept(stream: Stream, connection: Connection): void {
    if (this.is_stopped || this.dialler || this.context.clock.boot_ms() < this.refuse_until_ms) {
      connection.abort(new Error('this link is not taken now'))
      return
    }
    this.adopt(stream, connection)
  }

  private async connect(signal: AbortSignal): Promise<void> {
    if (this.channel) return
    const { node, self, log, refusals } = this.context
    let connection: Connection | undefined
    try {
      connection = await node.dial(multiaddr(`${addressOf(this.member)}/p2p/${this.member.peer_id}`), { signal })
      const stream = await connection.newStream(LINK_PROTOCOL, { signal })
      signal.throwIfAborted()
      this.adopt(stream, connection)
    } catch (error) {
      connection?.abort(new Error('no stream could be opened'))
      const why = reasonOf(error)
      if (!this.is_stopped && error instanceof Error && error.name === 'EncryptionFailedError' && !hungUp(error)) {
        refusals.report(this.member.address, `the handshake failed (another ring key, or not the identity of ${this.member.name})`)
      }
      // One line for each reason until the link is up again, not one for each attempt.
      if (!this.is_stopped && !this.failures.has(why) && this.failures.size < REASONS_LIMIT) {
        this.failures.add(why)
        log(`${this.member.name} cannot be reached from ${self.name}: ${why}`, { peer: this.member.name })
      }
      throw error
    }
  }

  private adopt(stream: Stream, connection: Connection): void {
    this.channel?.close('replaced by a new connection')
    const channel: Channel = new Channel(stream, connection, this.context.clock, {
      onOpen: () => this.opened(),
      onBeat: () => {
        // Neighbourhood is mutual, but two views may differ for a moment: who is not beating himself answers.
        if (!this.is_watched) channel.sendControl('answer')
      },
      onMessage: message => { if (!this.is_stopped) this.context.onMessage(this.member.name, message) },
      onClosed: (why, hostile) => this.lost(channel, why, hostile),
    })
    this.channel = channel
    channel.start()
  }

  private opened(): void {
    if (this.is_stopped) return
    this.is_up = true
    this.up_ms = this.context.clock.boot_ms()
    this.failures.clear()
    this.context.onReach(this.member.name, true, 'connected')
  }

  private lost(channel: Channel, why: string, hostile: boolean): void {
    if (this.is_stopped || this.channel !== channel) return
    this.channel = undefined
    const now_ms = this.context.clock.boot_ms()
    if (hostile) {
      this.context.log(`the link to ${this.member.name} is closed: it ${why}`, { peer: this.member.name })
      this.refuse_until_ms = now_ms + LONGEST_PAUSE_MS
      this.dialler?.slow()
    } else if (this.is_up && now_ms - this.up_ms >= GOOD_LINK_MS) this.dialler?.calm()
    this.dialler?.ask()
    if (!this.is_up) return
    this.is_up = false
    this.context.onReach(this.member.name, false, why)
  }
}
