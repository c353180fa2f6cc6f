/** Remote hands in virtual time: an order goes to its target over SSH, is done there, and an answer comes back or none does. */
import type { Command } from '../core/command.ts'
import { applianceHand } from './simulated-appliance.ts'
import type { SimulatedHost } from './simulated-host.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

export function hand(host: SimulatedHost, command: Of<'hand'>): void {
  const { world } = host
  const { target, verb } = command
  const asked = world.host(target)
  const answer = (ok: boolean, detail: string): void => host.handle({ event: 'hand', target, verb, ok, detail })
  if (asked.appliance) return applianceHand(host, asked, asked.appliance, command)
  whenItArrives(host, command, arrived => obey(host, arrived, asked, answer), () => answer(false, 'no answer'))
}

/**
 * When an order that was sent into a cut is sent again: by TCP, after three keepalives without an answer (hand-connection.ts) on a connection
 * of its own, whose first packet Linux repeats after 1 and 3 s.
 */
const SENT_AGAIN_MS = [0, 200, 600, 1_400, 3_000, 4_000, 5_000, 7_000]

function whenItArrives(host: SimulatedHost, command: Of<'hand'>, run: (arrived: Of<'hand'>) => void, lost: () => void, attempt = 0): void {
  const { world } = host
  const { target, limit_ms } = command
  const asked = world.host(target)
  const sent_ms = SENT_AGAIN_MS[attempt]!
  const next_ms = SENT_AGAIN_MS[attempt + 1] ?? Infinity
  if (!asked.up || world.handless.has(target) || asked.frozen === 'everything') return host.later(limit_ms - sent_ms, lost)
  if (world.linked(host.name, target)) return run({ ...command, limit_ms: limit_ms - sent_ms })
  if (next_ms >= limit_ms) return host.later(limit_ms - sent_ms, lost)
  host.later(next_ms - sent_ms, () => whenItArrives(host, command, run, lost, attempt + 1))
}

function obey(host: SimulatedHost, command: Of<'hand'>, asked: SimulatedHost, answer: (ok: boolean, detail: string) => void): void {
  const { world } = host
  const { target, verb } = command
  host.later(world.random.between(80, 400), () => {
    if (!asked.up) return answer(false, 'connection lost')
    if (world.halfHands.has(target)) return halfDone(host, command, asked, answer)
    if (verb === 'restart-daemon') {
      if (asked.service === 'stopped' || asked.service === 'mute') asked.service = 'good'
      return answer(asked.service === 'good', asked.service)
    }
    const refused = verb === 'release' && !world.broken.hand_lies ? asked.takeOff(command.args[0]!, Number(command.args[1])) : undefined
    world.changed()
    answer(refused === undefined, refused ?? 'done')
    if (verb === 'reboot') asked.reboot()
  })
}

/** All of it, half of it or nothing is done, and the asker waits for its limit in vain. */
function halfDone(host: SimulatedHost, { verb, args, limit_ms }: Of<'hand'>, asked: SimulatedHost, answer: (ok: boolean, detail: string) => void): void {
  const { world } = host
  const done = world.weather.pick(['nothing', 'half', 'all'] as const)
  if (verb === 'restart-daemon' && done !== 'nothing') asked.service = done === 'all' && asked.service !== 'broken until reboot' ? 'good' : asked.service === 'good' ? 'stopped' : asked.service
  if (verb === 'release' && done !== 'nothing') asked.takeOff(args[0]!, Number(args[1]))
  if (verb === 'reboot' && done === 'all') asked.reboot()
  world.changed()
  host.later(limit_ms, () => answer(false, 'no answer'))
}
