/** What one random schedule does to which ring: drawn from the seed alone, before anything runs. */
import type { FaultName } from './faults.ts'
import { RandomStream } from './prng.ts'
import { serverNames } from './sample-inventory.ts'

export interface Range {
  readonly least: number
  readonly most: number
}

/** `burst`: all within one second, on different hosts. `waves`: two bursts, the second into the recoveries of the first. `spread`: any host, any time. */
export type Pattern = 'burst' | 'waves' | 'spread'

export interface PlannedFault {
  /** After the first fault. */
  readonly after_ms: number
  readonly fault: FaultName
  readonly target: string
}

export interface Plan {
  readonly hosts: number
  readonly pattern: Pattern
  /** Free on each host for virtual servers before any is loaded; absent: without limit. */
  readonly free_kb: number
  readonly faults: readonly PlannedFault[]
}

/** Power cuts most of all: they are what takes functions away. */
const WEIGHTS: readonly (readonly [FaultName, number])[] = [
  ['power-off', 5], ['power-off, no wake', 3], ['reboot', 3], ['stop-daemon', 1], ['break-daemon', 2], ['mute-daemon', 1], ['kill-agent', 2], ['kill-guard', 2],
  ['share-hang', 1], ['share-hang all', 1], ['isolate', 1], ['cable', 2], ['power-off, failing starts', 1], ['flap', 1],
]
const DRAWN: readonly FaultName[] = WEIGHTS.flatMap(([fault, weight]) => Array.from({ length: weight }, () => fault))
/** What takes a whole host away at once. */
const CRASHES: readonly FaultName[] = ['power-off', 'power-off, no wake', 'reboot']

/** ... and keeps it away. */
const CUTS: readonly FaultName[] = ['power-off', 'power-off, no wake']
/** In this share of the schedules as many as allowed lose their power at once: mostly one survivor, which starts everything. */
const BLACKOUT_SHARE = 0.15

const BURST_MS = 1_000
/** A second wave strikes the recoveries of the first at every stage: examination, proof, resume, boot, return. */
const WAVE_MS = 20_000
const SPREADS_MS = [5_000, 20_000, 60_000] as const
/** Of one virtual server of the sample inventory. */
const VIRTUAL_SERVER_KB = 256 * 1024
/** In this share of the schedules the survivors have not room for everything. */
const SCARCE_SHARE = 0.15
/** The forecast of free memory falls twice as fast as the memory itself: that many virtual servers' room beyond what is needed. */
const FORECAST_ROOM = 8

export function drawPlan(seed: number, hosts: Range, faults: Range): Plan {
  const random = new RandomStream(seed, 'plan')
  const count = whole(random, hosts)
  const names = serverNames(count)
  const most = Math.max(1, Math.min(faults.most, count - 1))
  const some = whole(random, { least: Math.min(faults.least, most), most })
  const any = random.pick(['burst', 'waves', 'spread'] as const)
  const kinds = random.next() < 0.5 ? CRASHES : DRAWN
  const blackout = new RandomStream(seed, 'blackout').next() < BLACKOUT_SHARE
  const [strikes, pattern] = blackout ? [most, 'burst' as const] : [some, any]
  const draw = (): FaultName => random.pick(blackout ? CUTS : kinds)
  const free_kb = drawRoom_kb(random, count)
  return { hosts: count, pattern, free_kb, faults: strikesOf(random, pattern, names, strikes, draw) }
}

/** Of each of so many hosts: enough for everything, or scarce. */
export function drawRoom_kb(random: RandomStream, hosts: number): number {
  const scarce = hosts > 2 && random.next() < SCARCE_SHARE
  const places = scarce ? whole(random, { least: 1, most: Math.max(1, Math.floor(hosts / 2) - 1) }) : hosts + FORECAST_ROOM
  return places * VIRTUAL_SERVER_KB + VIRTUAL_SERVER_KB * 0.75
}

function strikesOf(random: RandomStream, pattern: Pattern, names: readonly string[], strikes: number, draw: () => FaultName): PlannedFault[] {
  if (pattern === 'spread') {
    const spread_ms = random.pick(SPREADS_MS)
    return inOrder(Array.from({ length: strikes }, () => ({ after_ms: random.between(0, spread_ms), fault: draw(), target: random.pick(names) })))
  }
  const first = pattern === 'burst' ? strikes : Math.ceil(strikes / 2)
  const burst = distinct(random, names, first).map(target => ({ after_ms: random.between(0, BURST_MS), fault: draw(), target }))
  const wave_ms = random.between(0, WAVE_MS)
  const second = distinct(random, names, strikes - first).map(target => ({ after_ms: wave_ms + random.between(0, BURST_MS), fault: draw(), target }))
  return inOrder([...burst, ...second])
}

function distinct(random: RandomStream, names: readonly string[], count: number): string[] {
  const left = [...names]
  return Array.from({ length: count }, () => left.splice(Math.floor(random.next() * left.length), 1)[0]!)
}

export const whole = (random: RandomStream, { least, most }: Range): number => least + Math.floor(random.next() * (most - least + 1))

function inOrder(faults: PlannedFault[]): PlannedFault[] {
  const first_ms = Math.min(...faults.map(fault => fault.after_ms))
  return faults.map(fault => ({ ...fault, after_ms: fault.after_ms - first_ms })).sort((a, b) => a.after_ms - b.after_ms)
}

/** `3-12` or `6`. */
export function parseRange(text: string): Range | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text)
  if (!match) return undefined
  const least = Number(match[1])
  const most = Number(match[2] ?? match[1])
  return least >= 1 && least <= most ? { least, most } : undefined
}
