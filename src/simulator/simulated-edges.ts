/** What the daemon's edges do, in virtual time: each command of the core leads to its events. */
import { copyOf } from './copy-of.ts'
import { askGuard, tellGuard } from './simulated-guard-client.ts'
import { hand } from './simulated-hand.ts'
import type { Command } from '../core/command.ts'
import type { ClaimRecord } from '../core/records.ts'
import type { SimulatedHost } from './simulated-host.ts'
import { freeMemory_kb } from './memory-of-host.ts'

/** The edges give up on the share after this and report the outcome as unknown. */
const SHARE_LIMIT_MS = 1_500

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

export function perform(host: SimulatedHost, command: Exclude<Command, { command: 'timer' }>): void {
  const { world } = host
  const { random } = world
  switch (command.command) {
    case 'observe': return observe(host)
    case 'claim': return claim(host, command)
    case 'release': return release(host, command)
    case 'pill': return ask(host, command)
    case 'gateway': {
      const answered = world.answersGateway(host.name)
      return host.later(answered ? random.between(1, 10) : 450, () => host.handle({ event: 'gateway', answered }))
    }
    case 'prepare': return inTurn(host, command.function, () => prepare(host, command))
    case 'serve': return inTurn(host, command.function, () => serve(host, command))
    case 'stop': return stop(host, command)
    case 'watch': return void (host.watched = command.targets)
    case 'examine': {
      const { target } = command
      // Three packets: one is enough.
      const there = (): boolean => world.answersPing(host.name, target) || world.answersPing(host.name, target) || world.answersPing(host.name, target)
      return host.later(there() ? random.between(2, 30) : 400, () => host.handle({ event: 'examined', target, answered: there() }))
    }
    case 'probe': return probe(host, command)
    case 'survey': return host.handle({ event: 'survey', average: { memory_kb: freeMemory_kb(host, random.between(2e6, 4e6)), cpu_idle_percent: random.between(40, 95), network_kb_per_s: random.between(0, 500) }, capacity: { memory_kb: 8e6, cores: 4, network_rated_kb_per_s: 256_000 } })
    case 'send': return world.deliver(host, command.to, copyOf(command.message), 'stream')
    case 'publish': {
      const message = copyOf(command.message)
      for (const { name: to } of host.inventory.servers) if (to !== host.name) world.deliver(host, to, message, 'gossip')
      return
    }
    case 'hand': return hand(host, command)
    case 'wake': return wake(world.host(command.target))
    case 'power': return power(host, command)
    case 'ride': return tellGuard(host, guard => guard.ride(command.until_ms, command.promised))
    case 'electorate': return tellGuard(host, guard => guard.electorateIs(command.names, command.may_miss))
    case 'alert': return
    case 'incident': return world.recordIncident(host.name, command.entry)
  }
}

/** The long-lived pings; a kernel answers them whatever its processes do. */
export function pingRounds(host: SimulatedHost, life: number): void {
  if (life !== host.agent_life) return
  const { world } = host
  if (!host.frozen) for (const target of host.watched) {
    // An overloaded ping finds the answer only after it has told that there is none.
    const answered = !host.overloaded && world.answersPing(host.name, target)
    host.later(answered ? 1 : 900, () => host.handle({ event: 'ping', target, answered }))
  }
  world.queue.after(world.inventory.interval_ms, () => pingRounds(host, life))
}

const HEALTH_EVERY_MS = 1_000

/** As the agent's meter does it, once a second; a word that says what is known already is left out. */
export function healthRounds(host: SimulatedHost, life: number): void {
  if (life !== host.agent_life) return
  const { overloaded, timers_late_ms, clock, world, core } = host
  const stalled_ms = overloaded ? 700 : Math.round(timers_late_ms / 2)
  const wall_offset_ms = Math.round(world.queue.now_ms + clock.wall_error_ms - clock.now_ms)
  if (stalled_ms > 0 || core?.health.score !== 0 || core.clock_offset_ms !== wall_offset_ms) host.handle({ event: 'health', stalled_ms, own_probes_missed: overloaded ? 1 : 0, wall_offset_ms })
  world.queue.after(HEALTH_EVERY_MS, () => healthRounds(host, life))
}

/** Answers once: with the share's word, or with the edge's own when the limit has passed. */
function withLimit(host: SimulatedHost, operate: (answer: (run: () => void) => void) => void, late: () => void): void {
  let open = true
  operate(run => {
    if (!open) return
    open = false
    host.later(0, run)
  })
  host.later(SHARE_LIMIT_MS, () => {
    if (!open) return
    open = false
    late()
  })
}

function observe(host: SimulatedHost): void {
  const { now_ms: started_ms } = host.clock
  const failed = (reason: string): void => host.handle({ event: 'observe-failed', reason })
  withLimit(host, answer => host.world.share.observe(host.name, observation => answer(() => host.handle({ event: 'observed', started_ms, observation })), () => answer(() => failed('the file server refuses'))),
    () => failed('no answer in time'))
}

function claim(host: SimulatedHost, { order }: Of<'claim'>): void {
  const record: ClaimRecord = { schema: 'ringward.claim/1', nonce: `${host.name} ${host.world.queue.now_ms}`, ...order }
  const about = { function: order.function, epoch: order.epoch }
  const unknown = (detail: string): void => host.handle({ event: 'claimed', ...about, outcome: 'unknown', detail })
  const write = (): void => withLimit(host, answer => host.world.share.claim(host.name, record, ({ won, standing }) => answer(() =>
    host.handle({ event: 'claimed', ...about, outcome: won ? 'won' : 'lost', detail: '', standing: standing ?? record })), () => answer(() => unknown('the file server refuses'))),
  () => unknown('no answer in time'))
  if (order.proof !== 'hand-over') return write()
  barFirst(host, order.function, order.epoch - 1, write, unknown)
}

/** As the agent does: what this host gives up or hands over itself is barred at its guard first, and without a guard not written. */
function barFirst(host: SimulatedHost, name: string, epoch: number, write: () => void, failed: (why: string) => void): void {
  askGuard(host, guard => {
    guard.bar(name, epoch)
    write()
  }, failed)
}

function release(host: SimulatedHost, { order }: Of<'release'>): void {
  const about = { function: order.function, epoch: order.epoch }
  const failed = (detail: string): void => host.handle({ event: 'released', ...about, ok: false, detail })
  const write = (): void => withLimit(host, answer => host.world.share.release(host.name, { schema: 'ringward.release/1', ...order }, () => answer(() => host.handle({ event: 'released', ...about, ok: true, detail: '' })), () => answer(() => failed('the file server refuses'))),
    () => failed('no answer in time'))
  if (order.how !== 'goodbye' && order.how !== 'not-started') return write()
  barFirst(host, order.function, order.epoch, write, failed)
}

function ask(host: SimulatedHost, { order }: Of<'pill'>): void {
  const told = (ok: boolean, detail: string): void => host.handle({ event: 'asked', target: order.host, ok, detail })
  withLimit(host, answer => host.world.share.ask(host.name, { schema: 'ringward.pill/1', ...order }, () => answer(() => told(true, '')), () => answer(() => told(false, 'the file server refuses'))), () => told(false, 'no answer in time'))
}

/** A stop that is ordered meanwhile calls it off. */
function inTurn(host: SimulatedHost, name: string, run: () => void): void {
  const orders = host.preparing.get(name)
  host.turns.take(name, () => orders === host.preparing.get(name) && run())
}

function wake(target: SimulatedHost): void {
  const { queue } = target.world
  queue.after(5, () => {
    target.called_ms = queue.now_ms
    if (target.wakeable) target.powerOn()
  })
}

function prepare(host: SimulatedHost, command: Of<'prepare'>): void {
  const { world } = host
  const boot = host.boot
  const attempt = (host.preparing.get(command.function) ?? 0) + 1
  host.preparing.set(command.function, attempt)
  host.loading.add(command.function)
  world.changed()
  // Its own work takes longer on an overloaded host; what comes late does so by as much as the fault says.
  const late_ms = (world.late_starts.get(host.name)?.later_ms ?? 0) / host.slowness
  host.later(world.random.between(200, 900) + late_ms, () => {
    // A stop in between calls the preparation off.
    if (boot !== host.boot || host.preparing.get(command.function) !== attempt) return
    host.loading.delete(command.function)
    if (world.share.isAway(host.name) || world.failingStarts.has(host.name)) return host.handle({ event: 'prepared', function: command.function, ok: false, detail: 'the saved state does not load' })
    host.virtual_servers.set(command.function, { function: command.function, running: command.warm, cut_off: command.warm, address: false })
    world.changed()
    host.handle({ event: 'prepared', function: command.function, ok: true, detail: 'paused' })
  })
}

function serve(host: SimulatedHost, command: Of<'serve'>): void {
  const { function: name, epoch, kind, generation } = command
  const answer = (ok: boolean, detail: string): void => host.handle({ event: 'serving', function: name, epoch, ok, detail })
  askGuard(host, guard => {
    const refused = guard.arm({ function: name, epoch, kind }, generation, 500)
    if (refused === undefined) giveArmed(host, command, answer)
    else host.later(1, () => answer(false, refused))
  }, why => answer(false, why))
}

function giveArmed(host: SimulatedHost, { function: name, epoch, kind }: Of<'serve'>, answer: (ok: boolean, detail: string) => void): void {
  const { world } = host
  if (kind === 'native') {
    host.addresses.add(name)
    world.changed()
    return host.later(world.random.between(5, 40), () => answer(host.addresses.has(name), 'the address went away'))
  }
  const server = host.virtual_servers.get(name)
  if (!server) return host.later(1, () => answer(false, 'no virtual server is ready'))
  if (world.failingServes.has(host.name)) return host.later(world.random.between(40, 250), () => answer(false, 'the guest does not go on'))
  server.running = true
  server.cut_off = false
  world.changed()
  host.later(world.random.between(40, 250), () => {
    const still = host.virtual_servers.get(name) === server && host.guard?.charge(name)?.epoch === epoch
    if (still) server.address = true
    world.changed()
    answer(still, still ? '' : 'the virtual server went away')
  })
}

/** One after the other, as the agent's turns: the end of an earlier one must not come after what was ordered since. */
function stop(host: SimulatedHost, command: Of<'stop'>): void {
  const { function: name } = command
  host.preparing.set(name, (host.preparing.get(name) ?? 0) + 1)
  host.loading.delete(name)
  host.turns.take(name, () => stopNow(host, command))
}

/** As the agent does: the machine first, then the guard's charge; without the guard's word it has not stopped. */
function stopNow(host: SimulatedHost, { function: name, kind }: Of<'stop'>): void {
  const { random, broken } = host.world
  const answer = (ok: boolean, detail: string): void => {
    host.turns.endStop(name)
    host.handle({ event: 'stopped', function: name, ok, detail })
  }
  host.turns.beginStop(name)
  host.later(random.between(5, 60), () => {
    if (broken.stop_lies) return answer(true, '')
    if (kind === 'virtual') host.virtual_servers.delete(name)
    host.world.changed()
    askGuard(host, guard => {
      guard.disarm(name)
      if (kind === 'native') host.addresses.delete(name)
      host.world.changed()
      answer(true, '')
    }, why => answer(false, why))
  })
}

function probe(host: SimulatedHost, { target, where }: Of<'probe'>): void {
  const { world } = host
  if (where === 'vip') {
    const good = world.isServed(target, host.name)
    return host.later(good ? world.random.between(2, 30) : 1_000, () => host.handle({ event: 'probed', target, where, verdict: good ? 'OK' : 'NG', daemon: 'service', detail: good ? '' : 'no connection' }))
  }
  const asked = world.host(target)
  const started_ms = host.clock.now_ms
  const reached = world.opensConnection(host.name, target)
  // A refused connection is refused whoever asks; only what has to arrive in time does not.
  if (host.overloaded && reached && (asked.answers === 'good' || asked.answers === 'mute')) return host.later(1_000, () => host.handle({ event: 'probed', target, where, verdict: 'NG', daemon: 'service', detail: 'no answer within 1000 ms', timed_out: true, started_ms }))
  host.later(reached && asked.answers !== 'mute' ? world.random.between(2, 30) : 1_000, () => {
    const good = reached && asked.up && asked.answers === 'good'
    host.handle({ event: 'probed', target, where, verdict: good ? 'OK' : 'NG', daemon: 'service', detail: good ? '' : 'no connection', started_ms })
  })
}

/** What a controller takes for an answer, and how often it gives none. */
const POWER_ANSWER_MS = [50, 1_200] as const
const POWER_SILENT_SHARE = 0.05
const POWER_LIMIT_MS = 3_000

/** A controller has a network of its own; only an asker without a cable does not reach it. */
function power(host: SimulatedHost, { target, verb, request }: Of<'power'>): void {
  const { world } = host
  const asked = world.host(target)
  const answer = (state: 'on' | 'off' | 'unknown', detail: string): void => host.handle({ event: 'power', target, verb, request, state, detail })
  if (world.isolated.has(host.name) || !asked.power_answers || world.random.next() < POWER_SILENT_SHARE) return host.later(POWER_LIMIT_MS, () => answer('unknown', 'no answer'))
  const took_ms = world.power_answer_ms ?? world.random.between(...POWER_ANSWER_MS)
  // Its look lies anywhere between question and answer.
  const look_ms = world.random.between(0, took_ms)
  world.queue.after(look_ms, () => {
    if (verb === 'on') {
      asked.called_ms = world.queue.now_ms
      asked.powerOn()
    }
    if (verb === 'off') asked.powerOff()
    const state = world.broken.power_lies || !asked.powered ? 'off' : 'on'
    host.later(took_ms - look_ms, () => answer(state, ''))
  })
}
