import './with-resolvers.ts'
import type { ConnectionGater, Listener, MultiaddrConnection, PeerId, Transport, Upgrader } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { reasonOf } from '../../errors.ts'
import type { Members } from './members.ts'
import type { Refusals } from './refusals.ts'

/** The numeric address in a multiaddr, without the port. */
export function hostOf(address: Multiaddr): string {
  return address.getComponents().find(part => part.name === 'ip4' || part.name === 'ip6')?.value ?? 'an unknown address'
}

/** The other end left in the middle of a handshake: it was starved, restarted, or it refused us. That is no reason to call it a stranger. */
export function hungUp(error: unknown): boolean {
  return /Unexpected EOF|ECONNRESET|EPIPE|aborted/.test(reasonOf(error))
}

/** Only members pass, both ways. The check follows the handshake: the identity has been proven by then. */
export function memberGater(members: Members, refusals: Refusals): ConnectionGater {
  const stranger = (peer: PeerId): boolean => members.nameOf(peer.toString()) === undefined
  const refuse = (peer: PeerId, connection: MultiaddrConnection): boolean => {
    if (!stranger(peer)) return false
    refusals.report(hostOf(connection.remoteAddr), `identity ${peer.toString()} is not a member of the ring`)
    return true
  }
  return {
    denyDialPeer: stranger,
    denyDialMultiaddr: () => false,
    denyInboundEncryptedConnection: refuse,
    denyOutboundEncryptedConnection: refuse,
  }
}

/**
 * A listener's failed handshakes (wrong ring key, not libp2p at all) leave no event in libp2p.
 * The transport hands each accepted socket to an upgrader; wrapping that one is where they can be seen.
 */
export function reportFailedHandshakes<Components>(makeTransport: (components: Components) => Transport, refusals: Refusals): (components: Components) => Transport {
  return components => {
    const transport = makeTransport(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options): Listener => createListener({ ...options, upgrader: reporting(options.upgrader, refusals) })
    return transport
  }
}

function reporting(upgrader: Upgrader, refusals: Refusals): Upgrader {
  return {
    upgradeOutbound: upgrader.upgradeOutbound.bind(upgrader),
    createInboundAbortSignal: signal => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
    upgradeInbound: async (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) => {
      try {
        await upgrader.upgradeInbound(connection, options)
      } catch (error) {
        // The gater has already said so, in better words.
        const gated = error instanceof Error && error.name === 'ConnectionInterceptedError'
        if (!gated && !options.signal.aborted && !hungUp(error)) {
          // Without libp2p's reason: under another key every byte is random, and so is the reason.
          refusals.report(hostOf(connection.remoteAddr), 'the handshake failed (another ring key, or no member of a ring)')
        }
        throw error
      }
    },
  }
}
