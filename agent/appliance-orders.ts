import type { Command } from '../src/core/command.ts'
import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { PlainHand, PlainOrder } from '../src/edges/remote-hand/plain-hand.ts'
import { reasonOf } from '../src/errors.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

export interface ApplianceParts {
  readonly hand: PlainHand
  /** Whether anybody on the segment answers for the address. */
  readonly inUse: (vip: string, signal: AbortSignal) => Promise<boolean>
  /** The former giver stopped before it wrote the claim: nobody else can answer, and a client waits. */
  readonly handedOver: (name: string) => boolean
}

/** The core's order to a hand on a target without an agent, and the event that answers it. */
export async function handOnAppliance(parts: ApplianceParts, server: Server, order: Of<'hand'>, signal: AbortSignal): Promise<Extract<Event, { event: 'hand' }>> {
  const { target, verb, limit_ms } = order
  const about = { event: 'hand', target, verb } as const
  try {
    // An answer for the VIP now is a zombie's: better no giver than two (R6).
    if (verb === 'give' && !parts.handedOver(target) && await parts.inUse(server.vip, signal)) {
      return { ...about, ok: false, detail: `another host answers for ${server.vip}; find it with "arping ${server.vip}" and take the address off it`, vip: 'off' }
    }
    const { address, ssh_host_key, vip, vip_prefix, remote } = server
    const { user, port } = remote ?? { user: 'root', port: 22 }
    return { ...about, ...await parts.hand.run({ name: target, address, ssh_host_key, vip, vip_prefix, user, port }, plainOrder(order, server), limit_ms, signal) }
  } catch (error) {
    return { ...about, ok: false, detail: reasonOf(error) }
  }
}

/** The core names daemons by their number in the record. */
function plainOrder({ verb, args }: Of<'hand'>, { daemons }: Server): PlainOrder {
  switch (verb) {
    case 'look':
    case 'reboot': return { verb }
    case 'give':
    case 'release': return { verb, epoch: Number(args[1]) }
    case 'restart-daemon': return { verb, daemon: daemons[Number(args[0])]?.name ?? '' }
  }
}
