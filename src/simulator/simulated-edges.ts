/** What the daemon's edges do, in virtual time: each command of the core leads to its events. */
import type { Command } from '../core/command.ts'
import type { ClaimRecord } from '../core/records.ts'
import type { SimulatedHost } from './simulated-host.ts'

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
    case 'prepare': return prepare(host, command)
    case 'serve': return serve(host, command)
    case 'stop': return stop(host, command)
    case 'watch': return void (host.watched = command.targets)
    case 'examine': {
      const { target } = command
      const there = world.host(target).up && world.connected(host.name, target)
      return host.later(there ? random.between(2, 30) : 400, () => host.handle({ event: 'examined', target, answered: world.host(target).up && world.connected(host.name, target) }))
    }
    case 'probe': return probe(host, command)
    case 'survey': return host.handle({ event: 'survey', average: { memory_kb: random.between(2e6, 4e6), cpu_idle_percent: random.between(40, 95), network_kb_per_s: random.between(0, 500) }, capacity: { memory_kb: 8e6, cores: 4, network_rated_kb_per_s: 256_000 } })
    case 'send': return world.deliver(host, command.to, command.message, 'stream')
    case 'publish':
      for (const { name: to } of host.inventory.servers) if (to !== host.name) world.deliver(host, to, command.message, 'gossip')
      return
    case 'hand': return hand(host, command)
    case 'wake': return void world.queue.after(5, () => world.host(command.target).wakeable && world.host(command.target).powerOn())
    case 'ride': return void host.guard?.ride(command.until_ms, command.promised)
    case 'electorate': return void host.guard?.electorateIs(command.names)
    case 'incident': return world.recordIncident(host.name, command.entry)
  }
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
  const started_ms = host.world.queue.now_ms
  withLimit(host, answer => host.world.share.observe(host.name, observation => answer(() => host.handle({ event: 'observed', started_ms, observation }))),
    () => host.handle({ event: 'observe-failed', reason: 'no answer in time' }))
}

function claim(host: SimulatedHost, { order }: Of<'claim'>): void {
  const record: ClaimRecord = { schema: 'ringward.claim/1', nonce: `${host.name} ${host.world.queue.now_ms}`, ...order }
  const about = { function: order.function, epoch: order.epoch }
  withLimit(host, answer => host.world.share.claim(host.name, record, ({ won, standing }) => answer(() =>
    host.handle({ event: 'claimed', ...about, outcome: won ? 'won' : 'lost', detail: '', standing: standing ?? record }))),
  () => host.handle({ event: 'claimed', ...about, outcome: 'unknown', detail: 'no answer in time' }))
}

function release(host: SimulatedHost, { order }: Of<'release'>): void {
  // As the agent does: what this host gives up itself is barred at its guard first.
  if (order.how !== 'remote-hand') host.guard?.bar(order.function, order.epoch)
  const about = { function: order.function, epoch: order.epoch }
  withLimit(host, answer => host.world.share.release(host.name, { schema: 'ringward.release/1', ...order }, () => answer(() => host.handle({ event: 'released', ...about, ok: true, detail: '' }))),
    () => host.handle({ event: 'released', ...about, ok: false, detail: 'no answer in time' }))
}

function prepare(host: SimulatedHost, command: Of<'prepare'>): void {
  const { world } = host
  const boot = host.boot
  const attempt = (host.preparing.get(command.function) ?? 0) + 1
  host.preparing.set(command.function, attempt)
  host.later(world.random.between(200, 900), () => {
    // A stop in between calls the preparation off.
    if (boot !== host.boot || host.preparing.get(command.function) !== attempt) return
    if (world.share.isHung(host.name) || world.failingStarts.has(host.name)) return host.handle({ event: 'prepared', function: command.function, ok: false, detail: 'the saved state does not load' })
    host.virtual_servers.set(command.function, { function: command.function, running: false, address: false })
    host.handle({ event: 'prepared', function: command.function, ok: true, detail: 'paused' })
  })
}

function serve(host: SimulatedHost, command: Of<'serve'>): void {
  const { function: name, epoch, kind, generation } = command
  const { world } = host
  const refused = host.guard ? host.guard.arm({ function: name, epoch, kind }, generation, 500) : 'no guard'
  const answer = (ok: boolean, detail: string): void => host.handle({ event: 'serving', function: name, epoch, ok, detail })
  if (refused !== undefined) return host.later(1, () => answer(false, refused))
  if (kind === 'native') {
    host.addresses.add(name)
    world.changed()
    return host.later(world.random.between(5, 40), () => answer(host.addresses.has(name), 'the address went away'))
  }
  const server = host.virtual_servers.get(name)
  if (!server) return host.later(1, () => answer(false, 'no virtual server is ready'))
  if (world.failingServes.has(host.name)) return host.later(world.random.between(40, 250), () => answer(false, 'the guest does not go on'))
  server.running = true
  world.changed()
  host.later(world.random.between(40, 250), () => {
    const still = host.virtual_servers.get(name) === server && host.guard?.charge(name)?.epoch === epoch
    if (still) server.address = true
    world.changed()
    answer(still, still ? '' : 'the virtual server went away')
  })
}

function stop(host: SimulatedHost, command: Of<'stop'>): void {
  host.preparing.set(command.function, (host.preparing.get(command.function) ?? 0) + 1)
  host.later(host.world.random.between(5, 60), () => {
    if (!host.world.broken.stop_lies) {
      host.guard?.disarm(command.function)
      if (command.kind === 'native') host.addresses.delete(command.function)
      else host.virtual_servers.delete(command.function)
      host.world.changed()
    }
    host.handle({ event: 'stopped', function: command.function, ok: true, detail: '' })
  })
}

function probe(host: SimulatedHost, { target, where }: Of<'probe'>): void {
  const { world } = host
  if (where === 'vip') {
    const good = world.isServed(target)
    return host.later(good ? world.random.between(2, 30) : 1_000, () => host.handle({ event: 'probed', target, where, verdict: good ? 'OK' : 'NG', daemon: 'service', detail: good ? '' : 'no connection' }))
  }
  const asked = world.host(target)
  const reached = asked.up && world.connected(host.name, target)
  host.later(reached ? world.random.between(2, 30) : 1_000, () => {
    const good = reached && asked.up && asked.service === 'good'
    host.handle({ event: 'probed', target, where, verdict: good ? 'OK' : 'NG', daemon: 'service', detail: good ? '' : 'no connection' })
  })
}

function hand(host: SimulatedHost, command: Of<'hand'>): void {
  const { world } = host
  const { target, verb } = command
  const asked = world.host(target)
  const answer = (ok: boolean, detail: string): void => host.handle({ event: 'hand', target, verb, ok, detail })
  if (!asked.up || world.handless.has(target) || !world.connected(host.name, target)) return host.later(command.limit_ms, () => answer(false, 'no answer'))
  host.later(world.random.between(80, 400), () => {
    if (!asked.up) return answer(false, 'connection lost')
    if (verb === 'restart-daemon') {
      if (asked.service === 'stopped') asked.service = 'good'
      return answer(asked.service === 'good', asked.service)
    }
    if (verb === 'release' && !world.broken.hand_lies) {
      asked.guard?.bar(command.args[0]!, Number(command.args[1]))
      asked.addresses.delete(command.args[0]!)
    }
    world.changed()
    answer(true, 'done')
    if (verb === 'reboot') asked.reboot()
  })
}
