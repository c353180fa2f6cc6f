/** What stories are made of. */
import type { RidePolicy } from '../../src/core/inventory.ts'
import type { Profile } from '../../src/core/profile.ts'
import type { RandomStream } from '../../src/simulator/prng.ts'
import type { World } from '../../src/simulator/world.ts'

/** Long enough for an expiry, a takeover and the next one. */
export const STORY_MS = 35_000

export interface Story {
  readonly tell: (world: World, random: RandomStream) => void
  readonly profile?: Profile
  readonly ride?: RidePolicy
  /** For virtual servers on each host; unbounded unless told. */
  readonly free_kb?: number
  /** Everything has to be served again at the end; where it is not, L1 is seen to be broken. */
  readonly served_again?: true
}

/** The hosts that are neither the target's P1 nor its P2: one of them is nominated most of the time. */
export function bystanders({ names }: World, target: string): readonly string[] {
  const index = names.indexOf(target)
  const near = [-1, 0, 1].map(offset => names[(index + offset + names.length) % names.length])
  return names.filter(name => !near.includes(name))
}

/** What was asked of the shared area is done in time; the word that it was done comes later by as much as is set for the host. */
export function lateAnswers({ share, queue }: World): Map<string, number> {
  const late_ms = new Map<string, number>()
  const { renew, observe, claim, release } = { renew: share.renew.bind(share), observe: share.observe.bind(share), claim: share.claim.bind(share), release: share.release.bind(share) }
  const later = <Result extends unknown[]>(host: string, answer: (...result: Result) => void): (...result: Result) => void => {
    const by_ms = late_ms.get(host) ?? 0
    return by_ms === 0 ? answer : (...result) => queue.after(by_ms, () => answer(...result))
  }
  share.renew = (record, answer) => renew(record, later(record.host, answer))
  share.observe = (host, answer) => observe(host, later(host, answer))
  share.claim = (host, record, answer) => claim(host, record, later(host, answer))
  share.release = (host, record, answer) => release(host, record, later(host, answer))
  return late_ms
}

/** Some pairs of hosts do not hear each other, in one direction. Streams notice it by their heartbeat. */
export function partialCuts(world: World): Set<string> {
  const cut = new Set<string>()
  const connected = world.connected.bind(world)
  world.connected = (from, to) => connected(from, to) && !cut.has(`${from} ${to}`)
  return cut
}

export const cutPair = (cut: Set<string>, one: string, other: string): unknown => cut.add(`${one} ${other}`).add(`${other} ${one}`)

export const hangFor = ({ share, queue }: World, host: string, for_ms: number): void => {
  share.hang(host)
  queue.after(for_ms, () => share.heal(host))
}
