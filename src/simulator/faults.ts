/** Faults of random schedules, each with its end: what the lab does to real hosts, done to simulated ones. */
import { MENU, strike, type MenuFault } from './fault-menu.ts'
import type { RandomStream } from './prng.ts'
import { leave } from './simulated-leave.ts'
import { changeRide, forgetHost, joinHost, LEARN_SPREAD_MS } from './simulated-membership.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { World } from './world.ts'

export const FAULTS = [
  'power-off', 'power-off, no wake', 'reboot', 'stop-daemon', 'break-daemon', 'kill-agent', 'kill-guard', 'share-hang', 'share-hang all',
  'isolate', 'cable', 'power-off, failing starts', 'flap', 'announced reboot', 'announced shutdown', 'maintenance', 'hold',
] as const
/** These are drawn by plans (`mute-daemon`) or only by their name: without a remote hand the ladder may be exhausted, and policy then waits for its long pause or a person.; who joins or is taken out is no fault. */
export const FAULTS_BY_NAME = [...FAULTS, ...Object.keys(MENU) as MenuFault[], 'mute-daemon', 'power-off, failing serves', 'break-daemon, no hand', 'blink, failing starts', 'overload', 'join', 'forget', 'power-off and forget', 'flag off and on', 'other ride policy'] as const
export type FaultName = (typeof FAULTS_BY_NAME)[number]

const FAULT_LIMIT_MS = 40_000
/** A flapping host loses its power this often, this far apart. */
const FLAPS = 3
const FLAP_MS = 12_000

const FLAG_RETRY_MS = 1_000

/** Off for a moment and booted again within this time. */
const BLINK_MS = 20_000

/** What is over as soon as it has happened. */
const AT_ONCE: Partial<Record<FaultName, (host: SimulatedHost) => void>> = {
  'power-off': host => host.powerOff(),
  reboot: host => host.reboot(),
  'stop-daemon': host => host.breakService('stopped'),
  'mute-daemon': host => host.breakService('mute'),
  'break-daemon': host => host.breakService('broken until reboot'),
  'kill-agent': host => host.killAgent(),
  'kill-guard': host => host.killGuard(),
}

const isOfMenu = (fault: FaultName): fault is MenuFault => Object.hasOwn(MENU, fault)

/** Carries the fault out and returns when the last of it has ended. Without a duration it lasts a random time. */
export function applyFault(world: World, fault: FaultName, target: string, random: RandomStream, duration_ms = random.between(500, FAULT_LIMIT_MS)): number {
  const host = world.host(target)
  const { queue } = world
  const ends_ms = queue.now_ms + duration_ms
  world.note(`fault: ${fault} ${target}`)
  const atOnce = AT_ONCE[fault]
  if (atOnce) {
    atOnce(host)
    return queue.now_ms
  }
  if (isOfMenu(fault)) return strike(world, fault, target, random, duration_ms)
  switch (fault) {
    case 'power-off, no wake':
      host.powerOff()
      host.wakeable = false
      queue.at(ends_ms + 20_000, () => {
        host.wakeable = true
        host.powerOn()
      })
      return ends_ms + 20_000
    case 'announced reboot':
    case 'announced shutdown':
    case 'maintenance':
    case 'hold':
      return announce(world, fault, target, ends_ms)
    case 'share-hang':
    case 'share-hang all':
      hangShare(world, fault === 'share-hang' ? target : '*', ends_ms)
      return ends_ms
    case 'overload':
      host.overloaded = true
      queue.at(ends_ms, () => { host.overloaded = false })
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
      host.breakService('broken until reboot')
      world.handless.add(target)
      world.beyondHands.add(target)
      queue.at(ends_ms, () => world.handless.delete(target))
      return ends_ms
    case 'blink, failing starts':
      return blink(world, target, random)
    case 'join':
    case 'forget':
    case 'other ride policy':
      return changeRing(world, fault, target, random)
    case 'power-off and forget':
      return powerOffAndForget(world, target, random, ends_ms)
    case 'flag off and on':
      return flagOffAndOn(world, target, duration_ms)
    case 'flap':
      return flap(world, target)
    default:
      return ends_ms
  }
}

/** The last record has to arrive: whose shared area hangs when its flag goes keeps its VIP, and cannot say so. */
function flagOffAndOn(world: World, target: string, duration_ms: number): number {
  const { queue } = world
  const host = world.host(target)
  const remove = (): void => {
    if (world.share.isHung(target)) return queue.after(FLAG_RETRY_MS, remove)
    host.setFlag(false)
    queue.after(duration_ms, () => host.setFlag(true))
  }
  remove()
  return queue.now_ms + FAULT_LIMIT_MS + duration_ms
}

function flap(world: World, target: string): number {
  const host = world.host(target)
  for (let count = 0; count < FLAPS; count += 1) {
    world.queue.after(count * FLAP_MS, () => host.powerOff())
    world.queue.after(count * FLAP_MS + 1_000, () => host.powerOn())
  }
  return world.queue.now_ms + FLAPS * FLAP_MS
}

/** Nobody takes over, so that the host itself claims again after its boot. */
function blink(world: World, target: string, random: RandomStream): number {
  const host = world.host(target)
  const { queue } = world
  host.powerOff()
  queue.after(random.between(200, 4_000), () => host.powerOn())
  for (const name of world.names) if (name !== target) world.failingStarts.add(name)
  queue.at(queue.now_ms + BLINK_MS, () => world.failingStarts.clear())
  return queue.now_ms + BLINK_MS
}

/** What people do on purpose: the system is shut down in order, or an operator's order stands for a while. */
function announce(world: World, what: 'announced reboot' | 'announced shutdown' | 'maintenance' | 'hold', target: string, ends_ms: number): number {
  const host = world.host(target)
  switch (what) {
    case 'announced reboot':
      leave(host, 'reboot', () => host.reboot())
      return world.queue.now_ms
    case 'announced shutdown':
      leave(host, 'shutdown', () => host.powerOff())
      world.queue.at(ends_ms + 15_000, () => host.powerOn())
      return ends_ms + 15_000
    default:
      world.share.orders.set(what === 'hold' ? 'hold' : target, ends_ms)
      return ends_ms
  }
}

function changeRing(world: World, change: 'join' | 'forget' | 'other ride policy', target: string, random: RandomStream): number {
  if (change === 'join') joinHost(world, random)
  else if (change === 'forget') forgetHost(world, target, random)
  else changeRide(world, random)
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
