import type { PeerMember } from './peers.ts'

/** The allow-list: whose identity may complete a connection. It can change at run time. */
export class Members {
  private by_name = new Map<string, PeerMember>()
  private by_peer_id = new Map<string, string>()

  constructor(members: readonly PeerMember[]) {
    this.set(members)
  }

  set(members: readonly PeerMember[]): void {
    this.by_name = new Map(members.map(member => [member.name, member]))
    this.by_peer_id = new Map(members.map(member => [member.peer_id, member.name]))
  }

  all(): PeerMember[] {
    return [...this.by_name.values()]
  }

  get(name: string): PeerMember | undefined {
    return this.by_name.get(name)
  }

  nameOf(peer_id: string): string | undefined {
    return this.by_peer_id.get(peer_id)
  }
}

/** Same place and same key: the link can stay. */
export function sameMember(one: PeerMember, other: PeerMember): boolean {
  return one.address === other.address && one.port === other.port && one.peer_id === other.peer_id
}
