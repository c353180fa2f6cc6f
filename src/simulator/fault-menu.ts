/** Faults that last for a while, beside those of faults.ts: time, network, shared area, hypervisor, hands and programs. Each undoes itself. */
import { CLOCK_RATE_ERROR } from '../core/profile.ts'
import { between, majoritiesRing, type Direction, type Disturbance } from './network-faults.ts'
import type { RandomStream } from './prng.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { ShareTrouble } from './simulated-share.ts'
import type { World } from './world.ts'

interface Strike {
  readonly world: World
  readonly host: SimulatedHost
  readonly random: RandomStream
  readonly ends_ms: number
}

const HOUR_MS = 3_600_000
/** Longer than the edges wait for an answer (1.5 s), and than D_stop. */
const SHARE_SLOW_MS = 6_000
const SHARE_LATE_MS = 5_000
/** Beyond what a virtual server takes to load; a nominee is given 95 s. */
const LATE_START_MS = 20_000
/** An overloaded host takes so many times longer for everything it does; a virtual server loads in 0.9 s at most otherwise. */
const SLOWNESS_MOST = 12
const OVERLOAD_LINGERS_MS = SLOWNESS_MOST * 900
/** A service that flaps changes this often. */
const FLAP_MS = [500, 6_000] as const
/** Generations that a restored disk has forgotten. */
const FORGOTTEN_MOST = 4

/** Carries the strike out, and returns when its last effect ends. */
type Fault = (strike: Strike) => number

/** `end` is called once, when the strike ends. */
function until({ world, ends_ms }: Strike, end: () => void): number {
  world.queue.at(ends_ms, end)
  return ends_ms
}

function freeze(what: 'agent' | 'everything'): Fault {
  return strike => until(strike, strike.host.freeze(what))
}

function disturb(draw: (random: RandomStream) => Disturbance): Fault {
  return strike => {
    const { disturbances } = strike.world.network_faults
    const disturbance = draw(strike.random)
    disturbances.add(disturbance)
    // What was sent last is still on its way.
    strike.world.queue.at(strike.ends_ms + LAST_MESSAGE_MS, () => disturbances.delete(disturbance))
    return strike.ends_ms + LAST_MESSAGE_MS
  }
}

/** A doubled message comes within 3 s (world.ts). */
const LAST_MESSAGE_MS = 3_000

function partition(draw: (strike: Strike) => readonly Direction[]): Fault {
  return strike => {
    const directions = draw(strike)
    strike.world.cut(directions)
    return until(strike, () => strike.world.heal(directions))
  }
}

/** Its guard alone stands still; a reboot ends that as well. */
const freezeGuard: Fault = strike => {
  const { guard } = strike.host
  if (!guard?.running) return strike.world.queue.now_ms
  guard.freezeAlone()
  return until(strike, () => guard.thawAlone())
}

/** Of one host, of some, or of all. What is under way when it ends lingers: until then the share is not as fast as the bounds suppose. */
function troubleShare(whom: (strike: Strike) => readonly string[], trouble: ShareTrouble, lingers_ms = 0): Fault {
  return strike => {
    const { share, queue } = strike.world
    const hosts = whom(strike)
    // Objects of this strike's own, so that its end does not end another of the same kind.
    const [lasting, lingering] = [{ ...trouble }, {}]
    for (const host of hosts) share.trouble(host, lasting)
    queue.at(strike.ends_ms, () => hosts.forEach(host => share.trouble(host, lingering, lasting)))
    queue.at(strike.ends_ms + lingers_ms, () => hosts.forEach(host => share.trouble(host, undefined, lingering)))
    return strike.ends_ms + lingers_ms
  }
}

const one = ({ host }: Strike): string[] => [host.name]
const all = (): string[] => ['*']
const half = ({ world, random }: Strike): string[] => shuffled(random, world.names).slice(0, Math.ceil(world.names.length / 2))

export function shuffled<T>(random: RandomStream, list: readonly T[]): T[] {
  const left = [...list]
  return list.map(() => left.splice(Math.floor(random.next() * left.length), 1)[0]!)
}

function halves({ world, random }: Strike): [string[], string[]] {
  const names = shuffled(random, world.names)
  const size = Math.ceil(names.length / 2)
  return [names.slice(0, size), names.slice(size)]
}

function bridge(strike: Strike): Direction[] {
  const [first, second] = halves(strike)
  return between([[...first, second[0]!], second])
}

function oneWay({ world, host, random }: Strike): Direction[] {
  const other = random.pick(world.names.filter(name => name !== host.name))
  return [random.next() < 0.5 ? [host.name, other] : [other, host.name]]
}

const halvesWithShareOnOneSide: Fault = strike => {
  const { world } = strike
  const [first, second] = halves(strike)
  const directions = between([first, second])
  world.cut(directions)
  for (const name of second) world.share.hang(name)
  return until(strike, () => {
    world.heal(directions)
    for (const name of second) world.share.heal(name)
  })
}

/** `begin` makes it slow, `end` no more; what it has begun meanwhile takes its time. */
function overload(begin: (host: SimulatedHost, random: RandomStream) => void, end: (host: SimulatedHost) => void): Fault {
  return ({ world, host, random, ends_ms }) => {
    host.overloads += 1
    begin(host, random)
    world.queue.at(ends_ms, () => end(host))
    world.queue.at(ends_ms + OVERLOAD_LINGERS_MS, () => (host.overloads -= 1))
    return ends_ms + OVERLOAD_LINGERS_MS
  }
}

const clockJump: Fault = strike => {
  strike.host.clock.wall_error_ms = strike.random.pick([-HOUR_MS, HOUR_MS])
  return until(strike, () => (strike.host.clock.wall_error_ms = 0))
}

const clockDrift: Fault = strike => {
  strike.host.clock.goAt(1 + strike.random.pick([-CLOCK_RATE_ERROR, CLOCK_RATE_ERROR]))
  return until(strike, () => strike.host.clock.goAt(1))
}

const lateStarts: Fault = strike => {
  const { world, random, host } = strike
  const late = shuffled(random, world.names.filter(name => name !== host.name)).slice(0, Math.ceil(world.names.length / 2))
  // A later fault of the same kind may have taken its place by its end.
  const mine = new Map(late.map(name => [name, { later_ms: random.between(1_000, LATE_START_MS) }]))
  for (const [name, starts] of mine) world.late_starts.set(name, starts)
  host.powerOff()
  world.queue.at(strike.ends_ms, () => mine.forEach(starts => { starts.later_ms = 0 }))
  // What was begun last is ready by then.
  world.queue.at(strike.ends_ms + LATE_START_MS, () => mine.forEach((starts, name) => { if (world.late_starts.get(name) === starts) world.late_starts.delete(name) }))
  return strike.ends_ms + LATE_START_MS
}

const halfHand: Fault = strike => {
  const { world, host } = strike
  world.halfHands.add(host.name)
  world.beyondHands.add(host.name)
  host.breakService(strike.random.pick(['stopped', 'mute', 'broken until reboot']))
  return until(strike, () => world.halfHands.delete(host.name))
}

const serviceFlaps: Fault = strike => {
  const { world, host, random, ends_ms } = strike
  const { boot } = host
  const turn = (): void => {
    if (boot !== host.boot || !host.up || world.queue.now_ms >= ends_ms) return
    if (host.service !== 'broken until reboot') host.breakService(host.service === 'good' ? 'stopped' : 'good')
    world.queue.after(random.between(...FLAP_MS), turn)
  }
  turn()
  return until(strike, () => boot === host.boot && host.up && host.service === 'stopped' && host.breakService('good'))
}

const oldDisk: Fault = ({ world, host, random }) => {
  host.powerOff()
  host.restoreDisk(1 + Math.floor(random.next() * FORGOTTEN_MOST))
  host.powerOn()
  return world.queue.now_ms
}

function mixedPrograms(program: 'older' | 'newer'): Fault {
  return strike => {
    const hosts = half(strike).map(name => strike.world.host(name))
    const run = (other: 'older' | 'newer' | undefined): void => hosts.forEach(host => {
      host.program = other
      host.killAgent()
    })
    run(program)
    return until(strike, () => run(undefined))
  }
}

/** By name. */
export const MENU = {
  freeze: freeze('everything'),
  'freeze-agent': freeze('agent'),
  'freeze-guard': freezeGuard,
  'slow host': overload((host, random) => (host.slowness = random.between(2, SLOWNESS_MOST)), host => (host.slowness = 1)),
  'late timers': overload((host, random) => (host.timers_late_ms = random.between(200, 1_500)), host => (host.timers_late_ms = 0)),
  'clock jump': clockJump,
  'clock drift': clockDrift,
  'messages lost': disturb(random => ({ loss: random.between(0.05, 0.4) })),
  'messages doubled': disturb(random => ({ duplication: random.between(0.05, 0.5) })),
  'messages late': disturb(random => ({ delay_ms: random.between(50, 900) })),
  cut: partition(({ world, host, random }) => between([[host.name], [random.pick(world.names.filter(name => name !== host.name))]])),
  'cut one-way': partition(oneWay),
  halves: partition(strike => between(halves(strike))),
  'halves, share on one side': halvesWithShareOnOneSide,
  bridge: partition(bridge),
  'majorities ring': partition(({ world }) => majoritiesRing(world.names)),
  'share-hang some': strike => hangSome(strike),
  'share-slow': troubleShare(one, { slow_ms: SHARE_SLOW_MS }, SHARE_SLOW_MS),
  'share-slow all': troubleShare(all, { slow_ms: SHARE_SLOW_MS }, SHARE_SLOW_MS),
  'share-dead': troubleShare(one, { dead: true }),
  'share-dead some': troubleShare(half, { dead: true }),
  'share-dead all': troubleShare(all, { dead: true }),
  'share-late': troubleShare(one, { late_answers_ms: SHARE_LATE_MS }, SHARE_LATE_MS),
  'share-late all': troubleShare(all, { late_answers_ms: SHARE_LATE_MS }, SHARE_LATE_MS),
  'share-read-only': troubleShare(one, { read_only: true }),
  'share-read-only some': troubleShare(half, { read_only: true }),
  'share-read-only all': troubleShare(all, { read_only: true }),
  'claim answers lost': troubleShare(all, { claim_answers_lost: 0.5 }),
  'power-off, late starts': lateStarts,
  'half hand': halfHand,
  'service flaps': serviceFlaps,
  'old disk': oldDisk,
  'older programs': mixedPrograms('older'),
  'newer programs': mixedPrograms('newer'),
} satisfies Record<string, Fault>

export type MenuFault = keyof typeof MENU

/** Returns when its last effect ends. */
export function strike(world: World, fault: MenuFault, target: string, random: RandomStream, duration_ms: number): number {
  return MENU[fault]({ world, host: world.host(target), random, ends_ms: world.queue.now_ms + duration_ms })
}

function hangSome(strike: Strike): number {
  const { share } = strike.world
  const hosts = half(strike)
  for (const host of hosts) share.hang(host)
  return until(strike, () => hosts.forEach(host => share.heal(host)))
}
