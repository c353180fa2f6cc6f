/** What one line of `ping -n -O -D` says about one probe. */
export type PingLine = { readonly says: 'answer'; readonly rtt_ms: number } | { readonly says: 'miss' }

/**
 * Anchored at both ends on purpose: ping marks answers that prove nothing about this probe behind the time:
 * `(DUP!)`, `(DIFFERENT ADDRESS!)`, `(truncated)`, `(BAD CHECKSUM!)`.
 */
const ANSWER = /^(?:\[\d+\.\d+\] )?\d+ bytes from \S+: icmp_seq=\d+ ttl=\d+ time=(\d+(?:\.\d+)?) ms$/
const MISS = /^(?:\[\d+\.\d+\] )?no answer yet for icmp_seq=\d+$/

/**
 * Reads one line of ping's output; undefined for headers, statistics and reports of others.
 * `From … Destination Host Unreachable` comes from this host or a router, not from the target: no answer, and the miss
 * of that probe has been told by its own line already.
 */
export function parsePingLine(line: string): PingLine | undefined {
  const answer = ANSWER.exec(line)
  if (answer) return { says: 'answer', rtt_ms: Number(answer[1]) }
  return MISS.test(line) ? { says: 'miss' } : undefined
}
