/** Hands and power switches on simulated targets without an agent. */
import type { Command } from '../core/command.ts'
import { serverOf } from '../core/context.ts'
import type { MemoryAppliance } from '../edges/remote-hand/memory-appliance.ts'
import type { PlainOrder } from '../edges/remote-hand/plain-hand.ts'
import type { SimulatedHost } from './simulated-host.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

/** Share of orders that a busy target carries out late. */
const SLOW_SHARE = 0.05

/** What the agent makes of the core's order. */
function orderOf(command: Of<'hand'>, daemons: readonly string[]): PlainOrder {
  const { verb, args } = command
  switch (verb) {
    case 'look':
    case 'reboot': return { verb }
    case 'give':
    case 'release': return { verb, epoch: Number(args[1]) }
    case 'restart-daemon': return { verb, daemon: daemons[Number(args[0])] ?? '' }
  }
}

export function applianceHand(host: SimulatedHost, asked: SimulatedHost, appliance: MemoryAppliance, command: Of<'hand'>): void {
  const { world } = host
  const { target, verb } = command
  const { vip, daemons } = serverOf(host.core!, target)
  const answers = (): boolean => asked.up && !world.handless.has(target) && world.linked(host.name, target)
  const fail = (): void => host.handle({ event: 'hand', target, verb, ok: false, detail: 'no answer' })
  if (!answers()) return host.later(command.limit_ms, fail)
  const { boot } = asked
  // The order is carried out whether or not its sender still lives to hear of it, and now and then when it has long given up.
  const slow = world.random.next() < SLOW_SHARE
  world.queue.after(world.random.between(40, slow ? 2 * command.limit_ms : 200), () => {
    if (!answers() || boot !== asked.boot) return host.later(command.limit_ms, fail)
    const segment_free = verb !== 'give' || world.givers(target).every(giver => giver === asked.name)
    const order = orderOf(command, daemons.map(daemon => daemon.name))
    const lies = verb === 'release' && world.broken.hand_lies === true
    const result = lies ? { ok: true, detail: 'done', vip: 'off' as const } : segment_free ? appliance.obey(vip, order) : { ok: false, detail: 'another host answers for it' }
    noteAppliance(asked)
    host.later(world.random.between(20, 100), () => host.handle({ event: 'hand', target, verb, ...result }))
    if (verb === 'reboot') asked.reboot()
  })
}

/** What its system has is noted where the checker looks for every host's. */
export function noteAppliance(host: SimulatedHost): void {
  const { appliance, name, world } = host
  if (!appliance) return
  const { vip } = world.inventory.servers.find(server => server.name === name)!
  if (host.up && appliance.addresses.has(vip)) host.addresses.add(name)
  else host.addresses.delete(name)
  const [daemon] = appliance.daemons.values()
  host.service = daemon === 'running' ? 'good' : daemon ?? 'good'
  world.changed()
}
