import type { Clock } from '../clock.ts'
import type { PeerMember, PeersEvents } from './peers.ts'

/** What is worth a line but no event: why a dial fails, what a faulty peer sent. */
export type PeersLog = (message: string, details: Readonly<Record<string, unknown>>) => void

/**
 * A beat every 250 ms costs 2 % of a core to five peers. The limit of four beats gave no false alarm on a busy host, where two did.
 * Detection of a pulled cable: 0.85 to 1.15 s.
 */
export const HEARTBEAT_MS = 250
export const HEARTBEAT_LIMIT_MS = 1_000

export interface Libp2pPeersOptions {
  readonly self: PeerMember
  /** All members; `self` may be among them. */
  readonly members: readonly PeerMember[]
  /** Private key file bytes; its peer identity must be that of `self`. */
  readonly identity: Uint8Array
  /** The ring's pre-shared key, file bytes. */
  readonly psk: Uint8Array
  readonly heartbeat_ms?: number
  readonly limit_ms?: number
  readonly events: PeersEvents
  readonly clock: Clock
  readonly log: PeersLog
}
