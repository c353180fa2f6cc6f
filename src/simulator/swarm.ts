/**
 * Swarm testing: each seed has its own subset of the whole fault menu, and plays from it for five minutes; then quiet until the layout is
 * policy again. Omitting kinds finds more than mixing all of them (Groce et al., Swarm Testing, 2012: 42 % more distinct crashes).
 */
import type { RidePolicy } from '../core/inventory.ts'
import { FAULTS, type FaultName } from './faults.ts'
import { MENU, type MenuFault } from './fault-menu.ts'
import { drawRoom_kb, whole, type PlannedFault, type Range } from './plan.ts'
import { RandomStream } from './prng.ts'
import { serverNames } from './sample-inventory.ts'

/** Has everything that decides what happens beside the random times of hosts, share and network, which come from the seed. */
export interface SwarmPlan {
  readonly seed: number
  readonly hosts: number
  readonly free_kb: number
  /** Whose promises carry a ride; absent: those of all. */
  readonly ride?: RidePolicy
  /** From the first fault on; what the faults themselves last comes on top. */
  readonly faults: readonly SwarmFault[]
}

export interface SwarmFault extends PlannedFault {
  /** Names the stream of its own that it draws from: without the others it does the same. */
  readonly number: number
  readonly duration_ms: number
}

/**
 * Kinds that were thought of later. Drawn beside the others they would change what each former seed draws, and many of those stay as tests; so from this seed
 * on half of the faults that are drawn as the one strike as the other.
 */
export const LATER_FROM_SEED = 10_000_000
const LATER: Partial<Record<FaultName, MenuFault>> = { 'freeze-agent': 'freeze-guard', 'share-dead': 'share-read-only', 'share-dead some': 'share-read-only some', 'share-dead all': 'share-read-only all' }
const LATER_SHARE = 0.5
export const LATER_KINDS: readonly FaultName[] = Object.values(LATER)

/** Every kind of former seeds; who joins or is taken out is no fault. */
export const SWARM_KINDS: readonly FaultName[] = [...FAULTS, ...(Object.keys(MENU) as MenuFault[]).filter(kind => !LATER_KINDS.includes(kind)), 'mute-daemon', 'power-off, failing serves', 'break-daemon, no hand']

/** At least this long, and at least so many faults. */
export const SWARM_MS = 300_000
export const SWARM_FAULTS: Range = { least: 3, most: 12 }
export const SWARM_HOSTS: Range = { least: 3, most: 6 }
/** Each kind is there in so many of the schedules. */
const KIND_SHARE = 0.45
/** So many of the faults strike soon after another one, into its recovery. */
const SOON_SHARE = 0.5
const SOON_MS = 20_000
const DURATION_MS = [500, 60_000] as const

export function drawSwarm(seed: number, hosts: Range = SWARM_HOSTS, faults: Range = SWARM_FAULTS, ride: RidePolicy = 'all'): SwarmPlan {
  const random = new RandomStream(seed, 'swarm')
  const count = whole(random, hosts)
  const names = serverNames(count)
  const some = SWARM_KINDS.filter(() => random.next() < KIND_SHARE)
  const kinds = some.length > 0 ? some : SWARM_KINDS
  const free_kb = drawRoom_kb(random, count)
  let soon_ms = 0
  const strikes = Array.from({ length: whole(random, faults) }, (_, number): SwarmFault => {
    const after_ms = number > 0 && random.next() < SOON_SHARE ? Math.min(SWARM_MS, soon_ms + random.between(0, SOON_MS)) : random.between(0, SWARM_MS)
    soon_ms = after_ms
    return { number, after_ms, fault: random.pick(kinds), target: random.pick(names), duration_ms: random.between(...DURATION_MS) }
  })
  return { seed, hosts: count, free_kb, ...ride === 'all' ? {} : { ride }, faults: withLaterKinds(seed, strikes).sort((a, b) => a.after_ms - b.after_ms) }
}

function withLaterKinds(seed: number, strikes: SwarmFault[]): SwarmFault[] {
  if (seed < LATER_FROM_SEED) return strikes
  const random = new RandomStream(seed, 'later kinds')
  return strikes.map(strike => {
    const later = LATER[strike.fault]
    return later !== undefined && random.next() < LATER_SHARE ? { ...strike, fault: later } : strike
  })
}

/** The stream of one fault. */
export const streamOf = ({ seed }: SwarmPlan, { number }: SwarmFault): RandomStream => new RandomStream(seed, `fault ${number}`)

/** One line: as it is told, and as a test may keep it. */
export function describeFault({ after_ms, fault, target, duration_ms }: SwarmFault): string {
  return `${(after_ms / 1_000).toFixed(1)} s ${fault} ${target} for ${(duration_ms / 1_000).toFixed(1)} s`
}
