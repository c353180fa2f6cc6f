/** Random fault schedules: start, faults, quiet until the layout is policy again. Seed and commit replay one exactly. */
import type { Inventory } from '../core/inventory.ts'
import { SAMPLE_MS } from './bounds.ts'
import { applyFault, FAULTS, type FaultName } from './faults.ts'
import { Liveness } from './liveness.ts'
import { drawPlan, type Plan, type PlannedFault, type Range } from './plan.ts'
import { RandomStream } from './prng.ts'
import { sampleInventory, withPower, type SampleWishes } from './sample-inventory.ts'
import type { Violation } from './checker.ts'
import { waitingHosts } from './waiting.ts'
import { World, type WorldOptions } from './world.ts'

export interface ScheduleResult {
  readonly seed: number
  /** The first fault and its target. */
  readonly fault: FaultName
  readonly target: string
  readonly violations: readonly Violation[]
  /** Liveness: what was not policy when the time was up. */
  readonly deviations: readonly string[]
  /** Longest time the first target's function was not served. */
  readonly cut_ms: number
  /** From the end of the last fault until the layout was policy. */
  readonly policy_ms: number
  /** The outage that came nearest to its bound, or went furthest beyond it. */
  readonly worst: Liveness['worst']
  readonly events: number
}

/** All hosts are up and the ring is whole by then (cold start 15 s: three expiries and the boot). */
const START_MS = 15_000
/**
 * L3, from the end of the last fault: grace of a manager that came last (9.3 s), the wait for a reboot (6 s), three wakes (36 s), the boot
 * (3.9 s), the four rungs that make a bad service ready (24 s), three good rounds (4 s), and a request to return that has to be repeated (10 s).
 */
const POLICY_LIMIT_MS = 95_000
/** Between one fault and the next of the same schedule at most. */
const GAP_MS = 12_000

/** Every fourth schedule has hosts with power controllers, and there three of four. */
const POWER_EVERY = 4
const POWER_SHARE = 0.75

export interface ScheduleOptions extends WorldOptions, SampleWishes {
  readonly seed: number
  readonly hosts?: number
  /** Instead of random ones, in this order. */
  readonly faults?: readonly FaultName[]
  /** Whom they strike instead of random hosts, in the same order. */
  readonly targets?: readonly string[]
  /** How many random faults, 1 unless told. */
  readonly count?: number
  /** Which hosts have a power controller; by the seed unless told: in every fourth schedule some. */
  readonly power?: 'none' | 'some' | 'all'
  /** How long the controllers take for an answer, a random time unless told. */
  readonly power_answer_ms?: number
  readonly onLog?: (at_ms: number, host: string, text: string) => void
}

export interface PlanOptions extends WorldOptions {
  readonly seed: number
  readonly hosts: Range
  readonly faults: Range
  readonly power?: 'none' | 'some' | 'all'
  readonly onLog?: (at_ms: number, host: string, text: string) => void
}

/** Faults at random moments on random hosts, in half of the schedules with a random loss of messages. */
export function runSchedule(options: ScheduleOptions): ScheduleResult {
  const random = new RandomStream(options.seed, 'faults')
  const world = new World(inventoryOf(options), options.seed, options)
  world.power_answer_ms = options.power_answer_ms
  begin(world, random, options)
  const faults = options.faults ?? Array.from({ length: options.count ?? 1 }, () => random.pick(FAULTS))
  const targets = faults.map((_, index) => options.targets?.[index] ?? random.pick(world.names))
  world.queue.runUntil(START_MS + random.between(0, 2_000))
  let after_ms = 0
  return play(world, random, options, faults.map((fault, index) => ({ fault, target: targets[index]!, after_ms: (after_ms += index > 0 ? random.between(0, GAP_MS) : 0) })))
}

/** The whole schedule is drawn from the seed: hosts, pattern, faults, room. */
export function runPlan(options: PlanOptions): ScheduleResult & { readonly plan: Plan } {
  const plan = drawPlan(options.seed, options.hosts, options.faults)
  const random = new RandomStream(options.seed, 'faults')
  const world = new World(inventoryOf({ seed: options.seed, hosts: plan.hosts, ...(options.power ? { power: options.power } : {}) }), options.seed, { ...options, free_kb: plan.free_kb })
  begin(world, random, options)
  world.queue.runUntil(START_MS + random.between(0, 2_000))
  return { ...play(world, random, options, plan.faults), plan }
}

function begin(world: World, random: RandomStream, { onLog }: Pick<ScheduleOptions, 'onLog'>): void {
  world.onLog = (host, text) => onLog?.(world.queue.now_ms, host, text)
  for (const name of world.names) world.queue.after(random.between(0, 1_500), () => world.host(name).powerOn())
  world.queue.runUntil(START_MS)
  world.message_loss = random.next() < 0.5 ? 0 : random.between(0, 0.05)
}

function play(world: World, random: RandomStream, { seed, onLog }: Pick<ScheduleOptions, 'seed' | 'onLog'>, faults: readonly PlannedFault[]): ScheduleResult {
  const first_ms = world.queue.now_ms
  const liveness = new Liveness(world)
  world.onLog = (host, text) => {
    liveness.onReason(text)
    onLog?.(world.queue.now_ms, host, text)
  }
  let end_ms = first_ms
  for (const { after_ms, fault, target } of faults) world.queue.at(first_ms + after_ms, () => (end_ms = Math.max(end_ms, applyFault(world, fault, target, random))))
  const last_ms = first_ms + (faults.at(-1)?.after_ms ?? 0)
  const { fault, target } = faults[0]!
  const cut_ms = runUntilPolicy(world, liveness, target, last_ms, () => end_ms)
  return {
    seed, fault, target, violations: world.checker.violations, deviations: world.checker.deviations(), cut_ms,
    policy_ms: world.queue.now_ms - Math.max(last_ms, end_ms), worst: liveness.worst, events: world.queue.handled,
  }
}

/** From a stream of its own, so that a schedule goes the same way as ever on hosts without controllers. */
function inventoryOf({ seed, hosts, power, agentless = [], power_command = false }: Pick<ScheduleOptions, 'seed' | 'hosts' | 'power' | 'agentless' | 'power_command'>): Inventory {
  const inventory = sampleInventory(hosts ?? 6, { agentless, power_command })
  const wanted = power ?? (seed % POWER_EVERY === 0 ? 'some' : 'none')
  const random = new RandomStream(seed, 'power')
  const names = inventory.servers.filter(server => server.agent).map(server => server.name)
  return withPower(inventory, wanted === 'none' ? [] : wanted === 'all' ? names : names.filter(() => random.next() < POWER_SHARE))
}

/** Whoever can come is here. */
function isWhole(world: World): boolean {
  const absent = world.names.filter(name => !world.host(name).up)
  if (absent.length === 0) return true
  const waiting = waitingHosts(world)
  return absent.every(name => waiting.has(name))
}

function runUntilPolicy(world: World, liveness: Liveness, target: string, last_ms: number, ends_ms: () => number): number {
  let longest_ms = 0
  let cut_ms = 0
  let settled = 0
  while (world.queue.now_ms < Math.max(last_ms, ends_ms()) + POLICY_LIMIT_MS) {
    world.queue.runUntil(world.queue.now_ms + SAMPLE_MS)
    liveness.sample()
    cut_ms = world.isServed(target) ? 0 : cut_ms + SAMPLE_MS
    longest_ms = Math.max(longest_ms, cut_ms)
    // Policy must hold for a while, and no fault may still be on its way.
    const quiet = world.queue.now_ms > last_ms + 5_000 && world.queue.now_ms > ends_ms() && isWhole(world)
    if (quiet && (world.queue.now_ms / SAMPLE_MS) % 20 < 1) settled = world.checker.deviations().length === 0 ? settled + 1 : 0
    if (settled > 2) break
  }
  return longest_ms
}
