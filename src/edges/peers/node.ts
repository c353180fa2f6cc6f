import './with-resolvers.ts'
import { isIPv6 } from 'node:net'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, type Identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { FRAME_LIMIT_BYTES } from './frame.ts'
import { memberGater, reportFailedHandshakes } from './gatekeeper.ts'
import { GOSSIP_ID_BYTES, GOSSIP_TOPIC } from './gossip.ts'
import type { Members } from './members.ts'
import { abortingQuietly } from './muxer.ts'
import type { PeerMember } from './peers.ts'
import type { Refusals } from './refusals.ts'

/** Memory one slow peer may cost: a few full frames. Without a limit yamux and gossipsub keep for ever. */
const WRITE_BUFFER_LIMIT_BYTES = 1024 * 1024
/** A dial of a host in the same network takes 20 ms; beyond this it is dead or starved. */
export const DIAL_LIMIT_MS = 2_000
/** A silent stranger holds a socket no longer than this. */
const HANDSHAKE_LIMIT_MS = 3_000
/** Sockets at once, strangers' included; four times a ring of 256. */
const CONNECTIONS_LIMIT = 1_024
/** More than the members of a full mesh: dead hosts must not keep a living one waiting in the dial queue. */
const PARALLEL_DIALS = 256
const KEEP_ALIVE_MS = 10_000
/**
 * libp2p's own pings are the backstop for links that carry no heartbeats. They end a connection on the first miss and cost a stream
 * each: at 1 s and 255 peers 28 % of a core, and tight limits drop healthy links of a busy host. No ping service is registered on purpose:
 * its stream limits make overlapping pings fail; the answer "unsupported" proves life as well.
 */
const BACKSTOP = { pingInterval: 10_000, pingTimeout: { minTimeout: 10_000, maxTimeout: 10_000 } }

export type RingNode = Libp2p<{ identify: Identify; pubsub: GossipSub }>

export interface NodeOptions {
  readonly self: PeerMember
  readonly identity: Uint8Array
  readonly psk: Uint8Array
  readonly members: Members
  readonly refusals: Refusals
}

/** Creates the libp2p node, not yet started: TCP, ring key, noise, yamux, identify, gossipsub. */
export function createNode(options: NodeOptions): Promise<RingNode> {
  const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
  const transport = tcp({ dialOpts: sockets, listenOpts: sockets, maxConnections: CONNECTIONS_LIMIT })
  return createLibp2p({
    start: false,
    privateKey: privateKeyFromProtobuf(options.identity),
    addresses: { listen: [addressOf(options.self)] },
    transports: [reportFailedHandshakes(transport, options.refusals)],
    connectionProtector: preSharedKey({ psk: options.psk }),
    connectionEncrypters: [noise()],
    streamMuxers: [abortingQuietly(yamux({ streamOptions: { maxWriteBufferLength: WRITE_BUFFER_LIMIT_BYTES } }))],
    connectionGater: memberGater(options.members, options.refusals),
    connectionManager: {
      maxConnections: CONNECTIONS_LIMIT,
      // Ten silent sockets, or five dials in a second from one address, would otherwise keep a member out.
      allow: networksOf([options.self, ...options.members.all()]),
      dialTimeout: DIAL_LIMIT_MS, addressDialTimeout: DIAL_LIMIT_MS, maxParallelDials: PARALLEL_DIALS,
      inboundUpgradeTimeout: HANDSHAKE_LIMIT_MS,
      outboundStreamProtocolNegotiationTimeout: HANDSHAKE_LIMIT_MS, inboundStreamProtocolNegotiationTimeout: HANDSHAKE_LIMIT_MS,
    },
    connectionMonitor: BACKSTOP,
    services: { identify: identify(), pubsub: gossip() },
  })
}

function gossip(): ReturnType<typeof gossipsub> {
  return gossipsub({
    // Signatures cost two to four times the latency; see gossip.ts for what is given up.
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: message => message.data.subarray(0, GOSSIP_ID_BYTES),
    // In a full mesh the own messages reach everybody in one hop; the small mesh (D) is for those who have just lost a link.
    floodPublish: true, batchPublish: true, D: 3, Dlo: 2, Dhi: 4, Dout: 1, Dlazy: 3, gossipFactor: 0.05,
    // A host alone publishes too; it throws otherwise.
    allowPublishToZeroTopicPeers: true,
    fallbackToFloodsub: false, doPX: false, tagMeshPeers: false,
    allowedTopics: [GOSSIP_TOPIC], maxInboundStreams: 8, maxOutboundStreams: 8,
    maxOutboundBufferSize: WRITE_BUFFER_LIMIT_BYTES, maxInboundDataLength: FRAME_LIMIT_BYTES,
    // Scoring is always on and silently drops messages of more than ten hosts behind one address (containers, tests).
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
  })
}

/** Where a member listens, without its identity. */
export function addressOf(member: PeerMember): string {
  return `/${isIPv6(member.address) ? 'ip6' : 'ip4'}/${member.address}/tcp/${member.port}`
}

/** The members' networks (/24, /64): their hosts are not counted against libp2p's limits for strangers. A member from elsewhere still gets in, within those limits. */
function networksOf(members: readonly PeerMember[]): string[] {
  const networks = members.map(member => isIPv6(member.address) ? `/ip6/${member.address}/ipcidr/64` : `/ip4/${member.address}/ipcidr/24`)
  return [...new Set(networks)]
}
