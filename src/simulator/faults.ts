/** Faults of random schedules, each with its end: what the lab does to real hosts, done to simulated ones. */
import type { RandomStream } from './prng.ts'
import { forgetHost, joinHost, LEARN_SPREAD_MS } from './simulated-membership.ts'
import type { World } from './world.ts'

export const FAULTS = [
  'power-off', 'power-off, no wake', 'reboot', 'stop-daemon', 'break-daemon', 'kill-agent', 'kill-guard', 'share-hang', 'share-hang all',
  'isolate', 'cable', 'power-off, failing starts', 'flap',
] as const
/**
 * These are drawn only by their name: without a remote hand the ladder may be exhausted, and policy then waits for its long pause or a person; and
 * who joins or is taken out is no fault.
 */
export const FAULTS_BY_NAME = [...FAULTS, 'power-off, failing serves', 'break-daemon, no hand', 'join', 'forget', 'power-off and forget'] as const
export type FaultName = (typeof FAULTS_BY_NAME)[number]

/** A flapping host loses its power this often, this far apart. */
const FLAPS = 3
const FLAP_MS = 12_000

/** Carries the fault out and returns when the last of it has ended. */
export function applyFault(world: World, fault: FaultName, target: string, random: RandomStream): number {
  const host = world.host(target)
  const { queue } = world
  const duration_ms = random.between(500, 40_000)
  const ends_ms = queue.now_ms + duration_ms
  world.note(`fault: ${fault} ${target}`)
  switch (fault) {
    case 'power-off':
      host.powerOff()
      return queue.now_ms
    case 'power-off, no wake':
      host.powerOff()
      host.wakeable = false
      queue.at(ends_ms + 20_000, () => {
        host.wakeable = true
        host.powerOn()
      })
      return ends_ms + 20_000
    case 'reboot':
      host.reboot()
      return queue.now_ms
    case 'stop-daemon':
      host.service = 'stopped'
      return queue.now_ms
    case 'break-daemon':
      host.service = 'broken until reboot'
      return queue.now_ms
    case 'kill-agent':
      host.killAgent()
      return queue.now_ms
    case 'kill-guard':
      host.killGuard()
      return queue.now_ms
    case 'share-hang':
    case 'share-hang all':
      hangShare(world, fault === 'share-hang' ? target : '*', ends_ms)
      return ends_ms
    case 'isolate':
      pullCable(world, target, ends_ms)
      return ends_ms
    case 'cable':
      // The shared area lies at the other end of the same cable.
      pullCable(world, target, ends_ms)
      hangShare(world, target, ends_ms)
      return ends_ms
    case 'power-off, failing starts':
      host.powerOff()
      failStarts(world, world.failingStarts, target, random, ends_ms)
      return ends_ms
    case 'power-off, failing serves':
      host.powerOff()
      failStarts(world, world.failingServes, target, random, ends_ms)
      return ends_ms
    case 'break-daemon, no hand':
      host.service = 'broken until reboot'
      world.handless.add(target)
      queue.at(ends_ms, () => world.handless.delete(target))
      return ends_ms
    case 'join':
    case 'forget':
      return changeRing(world, fault, target, random)
    case 'power-off and forget':
      return powerOffAndForget(world, target, random, ends_ms)
    case 'flap':
      for (let count = 0; count < FLAPS; count += 1) queue.after(count * FLAP_MS, () => host.powerOff())
      for (let count = 0; count < FLAPS; count += 1) queue.after(count * FLAP_MS + 1_000, () => host.powerOn())
      return queue.now_ms + FLAPS * FLAP_MS
  }
}

function changeRing(world: World, change: 'join' | 'forget', target: string, random: RandomStream): number {
  if (change === 'join') joinHost(world, random)
  else forgetHost(world, target, random)
  return world.queue.now_ms + LEARN_SPREAD_MS
}

function powerOffAndForget(world: World, target: string, random: RandomStream, at_ms: number): number {
  world.host(target).wakeable = false
  world.host(target).powerOff()
  world.queue.at(at_ms, () => forgetHost(world, target, random))
  return at_ms + LEARN_SPREAD_MS
}

function hangShare(world: World, who: string, ends_ms: number): void {
  world.share.hang(who)
  world.queue.at(ends_ms, () => world.share.heal(who))
}

function pullCable(world: World, target: string, ends_ms: number): void {
  world.isolate(target)
  world.queue.at(ends_ms, () => world.reconnect(target))
}

/** No virtual server starts on half of the others. */
function failStarts(world: World, among: Set<string>, target: string, random: RandomStream, ends_ms: number): void {
  const failing = world.names.filter(name => name !== target && random.next() < 0.5)
  for (const name of failing) among.add(name)
  world.queue.at(ends_ms, () => failing.forEach(name => among.delete(name)))
}
