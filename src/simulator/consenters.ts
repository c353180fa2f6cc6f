/** R8 by majority, looked at from outside: who could consent to a takeover by silence, and since when. */
import { promiseGiven_ms } from '../core/profile.ts'
import type { World } from './world.ts'

/** Of those whom the holder's lease lists, the one that takes over included; 1 where nobody else has to be asked. */
export function consentersNeeded({ share }: World, name: string): number {
  const claim = share.claims.get(name)?.at(-1)
  if (claim?.kind !== 'native' || share.releases.get(name)?.has(claim.epoch)) return 1
  return 1 + (share.leases.get(claim.holder)?.may_miss ?? 0)
}

/** Since when each of them has been there for it, in order: able, reached by all, and with an agent whose predecessor's promises are over. */
export function consenters_ms(world: World, name: string, healthOf: (host: string) => { readonly able: boolean; readonly changed_ms: number }): number[] {
  const { share, network_faults, profile } = world
  const voters = share.leases.get(share.claims.get(name)!.at(-1)!.holder)?.electorate ?? []
  return voters.filter(voter => healthOf(voter).able && !network_faults.touches(voter)).map(voter => {
    const { core, clock } = world.host(voter)
    return Math.max(healthOf(voter).changed_ms, clock.when_ms(core!.started_ms + promiseGiven_ms(profile)))
  }).sort((a, b) => a - b)
}
