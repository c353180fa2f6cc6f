/**
 * L3's one exception (protocol 3, bounds, and 6): a host that lost its power again after its ladder's last rung waits for a person. It is
 * policy only if everything that remains to be done was done: the manager said so as an alarm, and the function is given elsewhere.
 */
import { p1Of } from '../core/ring.ts'
import { WAKE_ATTEMPTS } from '../core/target-recovery.ts'
import type { World } from './world.ts'

export interface Waiting {
  /** Whose incident stays open. */
  readonly manager: string
  /** Who runs its virtual server. */
  readonly giver: string
}

/** The hosts that wait for a person now. */
export function waitingHosts(world: World): ReadonlyMap<string, Waiting> {
  return new Map(world.names.flatMap(name => {
    const waiting = waitingOf(world, name)
    return waiting ? [[name, waiting] as const] : []
  }))
}

function waitingOf(world: World, name: string): Waiting | undefined {
  const { powered, struck_ms, called_ms } = world.host(name)
  // Who was not struck after the last call should have come, or was never helped.
  if (powered || struck_ms <= called_ms) return undefined
  const manager = p1Of(world.names, name, host => world.checker.isRenewed(host))
  const giver = giverOf(world, name)
  return manager !== undefined && giver !== undefined && isGivenUp(world, manager, name) ? { manager, giver } : undefined
}

/** Every rung was used, and somebody was told. */
function isGivenUp(world: World, manager: string, target: string): boolean {
  return [...world.host(manager).core?.incidents.values() ?? []].some(incident =>
    incident.target === target && incident.healing.step === 'down' && incident.healing.wakes === WAKE_ATTEMPTS && world.checker.alarmed.has(incident.id))
}

/** Under the claim in force, and clients are served. */
function giverOf(world: World, name: string): string | undefined {
  const claim = world.share.claims.get(name)?.at(-1)
  if (claim?.kind !== 'virtual' || world.share.releases.get(name)?.has(claim.epoch)) return undefined
  const holder = world.host(claim.holder)
  const charged = holder.guard?.generation === claim.generation && holder.guard.charge(name)?.epoch === claim.epoch
  return charged && holder.virtual_servers.has(name) && world.isServed(name) ? holder.name : undefined
}
