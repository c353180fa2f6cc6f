/** Soft state between hosts: direct streams to members, gossip to all. A loss costs time, never safety. */
export interface PeersEvents {
  /** A message arrived on the direct stream of an authenticated member. */
  onMessage(from: string, message: unknown): void
  /** A gossip message; `from` is the author as the payload says, checked to be a member. */
  onGossip(from: string, message: unknown): void
  /** The kept-open stream to a member came up or went down (heartbeat limit, closed connection). */
  onReach(name: string, reachable: boolean, why: string): void
  /** An unlisted or wrongly keyed peer was refused. */
  onRefused(what: string): void
}

export interface PeerMember {
  readonly name: string
  /** IPR. */
  readonly address: string
  readonly port: number
  readonly peer_id: string
}

export interface Peers {
  start(signal: AbortSignal): Promise<void>
  /** Who belongs to the ring from now on; links to others are closed, links to new ones opened. */
  setMembers(members: readonly PeerMember[]): void
  /** Heartbeats go to the neighbours only; everybody else is merely connected. */
  setNeighbours(names: readonly string[]): void
  /** False: not delivered (no open stream, or its buffer is full); the caller decides. */
  send(to: string, message: unknown): boolean
  publish(message: unknown): void
  reachable(): string[]
  stop(): Promise<void>
}
