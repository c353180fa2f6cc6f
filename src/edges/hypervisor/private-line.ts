import { runOrFail } from '../command.ts'

const ROUTE_LIMIT_MS = 2_000

/**
 * A line between this host and a virtual server that is not on the network yet: a host route over its tap, there only while `work` runs. Nobody else
 * hears the machine, and this host does not look for its address on the network meanwhile.
 */
export async function withPrivateLine<T>(tap: string, address: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  await runOrFail('ip', ['link', 'set', 'dev', tap, 'up'], { limit_ms: ROUTE_LIMIT_MS, signal })
  await runOrFail('ip', ['route', 'replace', `${address}/32`, 'dev', tap], { limit_ms: ROUTE_LIMIT_MS, signal })
  try {
    return await work()
  } finally {
    // Also when it was called off: a route that stays would hide the machine from this host once it is in the bridge.
    await runOrFail('ip', ['route', 'del', `${address}/32`, 'dev', tap], { limit_ms: ROUTE_LIMIT_MS })
  }
}
