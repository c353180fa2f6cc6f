/** Random fault schedules: start, faults, quiet until the layout is policy again. Seed and commit replay one exactly. */
import type { Inventory } from '../core/inventory.ts'
import { SAMPLE_MS } from './bounds.ts'
import { applyFault, FAULTS, type FaultName } from './faults.ts'
import { Liveness } from './liveness.ts'
import { drawPlan, type Plan, type PlannedFault, type Range } from './plan.ts'
import { streamOf, SWARM_MS, type SwarmPlan } from './swarm.ts'
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
  readonly virtual_ms: number
}

/** All hosts are up and the ring is whole by then (cold start 15 s: three expiries and the boot). */
export const START_MS = 15_000
/**
 * L3, from the end of the last fault: grace of a manager that came last (9.3 s), the wait for a reboot (6 s), three wakes (36 s), the boot
 * (3.9 s), the four rungs that make a bad service ready (24 s), three good rounds (4 s), and a request to return that has to be repeated (10 s);
 * and the time for which a reboot is put off while its host gives functions of others (60 s, reboot.ts).
 */
const POLICY_LIMIT_MS = 95_000 + 60_000
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
  return play(world, options, drawn(world, random, faults.map((fault, index) => ({ fault, target: targets[index]!, after_ms: (after_ms += index > 0 ? random.between(0, GAP_MS) : 0) }))))
}

/** The whole schedule is drawn from the seed: hosts, pattern, faults, room. */
export function runPlan(options: PlanOptions): ScheduleResult & { readonly plan: Plan } {
  const plan = drawPlan(options.seed, options.hosts, options.faults)
  const random = new RandomStream(options.seed, 'faults')
  const world = new World(inventoryOf({ seed: options.seed, hosts: plan.hosts, ...(options.power ? { power: options.power } : {}) }), options.seed, { ...options, free_kb: plan.free_kb })
  begin(world, random, options)
  world.queue.runUntil(START_MS + random.between(0, 2_000))
  return { ...play(world, options, drawn(world, random, plan.faults)), plan }
}

/**
 * L3 after minutes of many faults: beside the above the hold of a server that flaps (48 rounds and a round each that its probes take), the longest
 * wait before a start that came to nothing is tried again (30 s), and a person, who comes after a while to what waits for one by rule.
 */
const SWARM_POLICY_LIMIT_MS = POLICY_LIMIT_MS + 96_000 + 30_000 + 60_000
/** Whoever is down for good by the ring's own word (its three wake-ups are used up) is switched on by a person so long after the last fault. */
const PERSON_AFTER_MS = 60_000
/** Boot clocks began at some time in the last weeks. */
const BOOT_CLOCK_MOST_MS = 3e9

export interface SwarmOptions extends WorldOptions {
  readonly power?: 'none' | 'some' | 'all'
  readonly onLog?: (at_ms: number, host: string, text: string) => void
  /** Before anything happens. */
  readonly onWorld?: (world: World) => void
}

/** At least five minutes of a swarm plan, then quiet until the layout is policy. */
export function runSwarm(plan: SwarmPlan, options: SwarmOptions = {}): ScheduleResult {
  const { seed, hosts, free_kb, ride, faults } = plan
  const random = new RandomStream(seed, 'faults')
  const world = new World(inventoryOf({ seed, hosts, ...(options.power ? { power: options.power } : {}) }), seed, { ...options, free_kb, ...ride === undefined ? {} : { ride } })
  for (const host of world.hosts.values()) host.clock.beginAt(Math.round(world.weather.between(0, BOOT_CLOCK_MOST_MS)))
  options.onWorld?.(world)
  begin(world, random, options)
  return play(world, { seed, ...options }, {
    faults: faults.map(strike => ({ ...strike, apply: () => applyFault(world, strike.fault, strike.target, streamOf(plan, strike), strike.duration_ms) })),
    least_ms: SWARM_MS, limit_ms: SWARM_POLICY_LIMIT_MS, person_after_ms: PERSON_AFTER_MS,
  })
}

function begin(world: World, random: RandomStream, { onLog }: Pick<ScheduleOptions, 'onLog'>): void {
  world.onLog = (host, text) => onLog?.(world.queue.now_ms, host, text)
  for (const name of world.names) world.queue.after(random.between(0, 1_500), () => world.host(name).powerOn())
  world.queue.runUntil(START_MS)
  world.message_loss = random.next() < 0.5 ? 0 : random.between(0, 0.05)
}

interface Programme {
  /** `apply` strikes, and says when the last of it ends. */
  readonly faults: readonly (PlannedFault & { readonly apply: () => number })[]
  /** From the first fault until the quiet at least. */
  readonly least_ms: number
  /** From the last fault until the layout must be policy. */
  readonly limit_ms: number
  readonly person_after_ms: number
}

/** One stream for all of them. */
function drawn(world: World, random: RandomStream, faults: readonly PlannedFault[]): Programme {
  return { faults: faults.map(strike => ({ ...strike, apply: () => applyFault(world, strike.fault, strike.target, random) })), least_ms: 0, limit_ms: POLICY_LIMIT_MS, person_after_ms: Infinity }
}

function play(world: World, { seed, onLog }: Pick<ScheduleOptions, 'seed' | 'onLog'>, programme: Programme): ScheduleResult {
  const first_ms = world.queue.now_ms
  const liveness = new Liveness(world)
  world.onLog = (host, text) => {
    liveness.onReason(text)
    onLog?.(world.queue.now_ms, host, text)
  }
  const { faults } = programme
  let end_ms = first_ms + programme.least_ms
  for (const { after_ms, apply } of faults) world.queue.at(first_ms + after_ms, () => (end_ms = Math.max(end_ms, apply())))
  const last_ms = first_ms + (faults.at(-1)?.after_ms ?? 0)
  const { fault, target } = faults[0]!
  const cut_ms = runUntilPolicy(world, liveness, target, { ...programme, last_ms, ends_ms: () => Math.max(last_ms, end_ms) })
  return {
    seed, fault, target, violations: world.checker.violations, deviations: world.checker.deviations(), cut_ms,
    policy_ms: world.queue.now_ms - Math.max(last_ms, end_ms), worst: liveness.worst, events: world.queue.handled, virtual_ms: world.queue.now_ms,
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

function runUntilPolicy(world: World, liveness: Liveness, target: string, { last_ms, ends_ms, limit_ms, person_after_ms }: Programme & { readonly last_ms: number; readonly ends_ms: () => number }): number {
  let longest_ms = 0
  let cut_ms = 0
  let settled = 0
  let person_comes = true
  while (world.queue.now_ms < ends_ms() + limit_ms) {
    world.queue.runUntil(world.queue.now_ms + SAMPLE_MS)
    liveness.sample()
    cut_ms = world.isServed(target) ? 0 : cut_ms + SAMPLE_MS
    longest_ms = Math.max(longest_ms, cut_ms)
    if (person_comes && world.queue.now_ms > ends_ms() + person_after_ms) {
      person_comes = false
      bringBack(world)
    }
    // Policy must hold for a while, and no fault may still be on its way.
    const quiet = world.queue.now_ms > last_ms + 5_000 && world.queue.now_ms > ends_ms() && isWhole(world)
    if (quiet && (world.queue.now_ms / SAMPLE_MS) % 20 < 1) settled = world.checker.deviations().length === 0 ? settled + 1 : 0
    if (settled > 2) break
  }
  return longest_ms
}

/**
 * A person does what the ring itself says it waits for: whoever it has given up is restarted, whose service it could not make ready, whose daemon no
 * remote hand could repair, and who said goodbye or was shut down (with the share away there is no goodbye on it) and lost its power before its agent
 * was back. Where all are off there is nobody left who could say so, and nobody who could wake the others.
 */
function bringBack(world: World): void {
  const all_are_off = world.names.every(name => !world.host(name).up)
  const down = new Set<string>()
  for (const { healing, target } of [...world.hosts.values()].flatMap(({ core }) => [...core?.incidents.values() ?? []])) {
    if (healing.step === 'down' || (healing.step === 'away' && !world.host(target).up)) down.add(target)
  }
  for (const name of world.checker.unready) if (world.host(name).service !== 'good') down.add(name)
  for (const name of world.beyondHands) if (world.host(name).service === 'broken until reboot') down.add(name)
  for (const name of world.names) if (all_are_off || (!world.host(name).up && world.share.leases.get(name)?.standing === 'goodbye')) down.add(name)
  for (const name of down) {
    world.note(`a person restarts ${name}`)
    world.host(name).reboot()
  }
}
