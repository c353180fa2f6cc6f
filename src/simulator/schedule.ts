/** Random fault schedules: start, faults, quiet until the layout is policy again. Seed and commit replay one exactly. */
import { RandomStream } from './prng.ts'
import { sampleInventory } from './sample-inventory.ts'
import type { Violation } from './checker.ts'
import { World } from './world.ts'

export const FAULTS = ['power-off', 'power-off, no wake', 'reboot', 'stop-daemon', 'break-daemon', 'kill-agent', 'kill-guard', 'share-hang', 'share-hang all'] as const
export type FaultName = (typeof FAULTS)[number]

export interface ScheduleResult {
  readonly seed: number
  readonly fault: FaultName
  readonly target: string
  readonly violations: readonly Violation[]
  /** Liveness: what was not policy when the time was up. */
  readonly deviations: readonly string[]
  /** Longest time the target's function was not served. */
  readonly cut_ms: number
  readonly policy_ms: number
  readonly events: number
}

/** All hosts are up and the ring is whole by then (cold start 15 s: three expiries and the boot). */
const START_MS = 15_000
/** Reboot limit, wake, boot, three good rounds and the return, thrice. */
const RECOVERY_LIMIT_MS = 180_000
const SAMPLE_MS = 50

export interface ScheduleOptions {
  readonly seed: number
  readonly hosts?: number
  readonly fault?: FaultName
  readonly onLog?: (at_ms: number, host: string, text: string) => void
}

export function applyFault(world: World, fault: FaultName, target: string, random: RandomStream): void {
  const host = world.host(target)
  const { queue } = world
  const duration_ms = random.between(500, 40_000)
  world.note(`fault: ${fault} ${target}`)
  switch (fault) {
    case 'power-off': return host.powerOff()
    case 'power-off, no wake':
      host.powerOff()
      host.wakeable = false
      return queue.after(20_000 + duration_ms, () => {
        host.wakeable = true
        host.powerOn()
      })
    case 'reboot': return host.reboot()
    case 'stop-daemon': return void (host.service = 'stopped')
    case 'break-daemon': return void (host.service = 'broken until reboot')
    case 'kill-agent': return host.killAgent()
    case 'kill-guard': return host.killGuard()
    case 'share-hang':
    case 'share-hang all': {
      const who = fault === 'share-hang' ? target : '*'
      world.share.hang(who)
      return queue.after(duration_ms, () => world.share.heal(who))
    }
  }
}

/** One fault at a random moment on a random host, with a random loss of messages. */
export function runSchedule(options: ScheduleOptions): ScheduleResult {
  const { seed } = options
  const random = new RandomStream(seed, 'faults')
  const world = new World(sampleInventory(options.hosts ?? 6), seed)
  world.onLog = (host, text) => options.onLog?.(world.queue.now_ms, host, text)
  for (const name of world.names) world.queue.after(random.between(0, 1_500), () => world.host(name).powerOn())
  world.queue.runUntil(START_MS)
  world.message_loss = random.next() < 0.5 ? 0 : random.between(0, 0.05)
  const fault = options.fault ?? random.pick(FAULTS)
  const target = random.pick(world.names)
  world.queue.runUntil(START_MS + random.between(0, 2_000))
  const fault_ms = world.queue.now_ms
  applyFault(world, fault, target, random)
  const cut_ms = runUntilPolicy(world, target, fault_ms)
  return { seed, fault, target, violations: world.checker.violations, deviations: world.checker.deviations(), cut_ms, policy_ms: world.queue.now_ms - fault_ms, events: world.queue.handled }
}

function runUntilPolicy(world: World, target: string, fault_ms: number): number {
  let longest_ms = 0
  let cut_ms = 0
  let settled = 0
  while (world.queue.now_ms < fault_ms + RECOVERY_LIMIT_MS) {
    world.queue.runUntil(world.queue.now_ms + SAMPLE_MS)
    cut_ms = world.isServed(target) ? 0 : cut_ms + SAMPLE_MS
    longest_ms = Math.max(longest_ms, cut_ms)
    // Policy must hold for a while, and no fault may still be on its way.
    const quiet = world.queue.now_ms > fault_ms + 5_000 && !world.share.isHung(target) && world.host(target).up
    if (quiet && (world.queue.now_ms / SAMPLE_MS) % 20 < 1) settled = world.checker.deviations().length === 0 ? settled + 1 : 0
    if (settled > 2) break
  }
  return longest_ms
}
