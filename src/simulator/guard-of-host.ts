/** The guard of a simulated host: what it says reaches the agent there, and what it ends or puts back is on the host. */
import type { Charge } from '../guard/guard-protocol.ts'
import { SimulatedGuard, type GuardListener } from './simulated-guard.ts'
import type { SimulatedHost } from './simulated-host.ts'

/** Scheduled first, so that its timers come a third as late as the agent's. */
const LATENESS_SHARE = 1 / 3

export function guardOf(host: SimulatedHost, former: SimulatedGuard | undefined): SimulatedGuard {
  const { name, clock, world } = host
  const { profile, queue, share, broken } = world
  return new SimulatedGuard({ host: name, profile, queue, clock, share, broken, lateness_ms: () => host.lateness_ms() * LATENESS_SHARE }, host.generation, listenerOf(host), former)
}

function listenerOf(host: SimulatedHost): GuardListener {
  return {
    onLease: (generation, sequence, deadline_ms, electorate, may_miss) => {
      host.noteGeneration(generation)
      host.handle({ event: 'lease', generation, sequence, deadline_ms, ...electorate ? { electorate } : {}, ...may_miss === undefined ? {} : { may_miss } })
    },
    onLost: (generation, stopped) => {
      host.noteGeneration(generation)
      host.handle({ event: 'lease-lost', generation, stopped })
    },
    onEnded: charge => endCharge(host, charge),
    onPlaced: name => place(host, name),
    onBarred: (name, epoch) => host.handle({ event: 'taken-off', function: name, epoch }),
  }
}

function place(host: SimulatedHost, name: string): void {
  if (!host.up || host.addresses.has(name)) return
  host.addresses.add(name)
  host.world.changed()
}

function endCharge(host: SimulatedHost, charge: Charge): void {
  if (charge.kind === 'native') host.addresses.delete(charge.function)
  else host.virtual_servers.delete(charge.function)
  host.world.changed()
}
