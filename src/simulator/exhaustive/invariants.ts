/** What must never be seen, whatever happened before: the search looks after each single act. */
import type { FunctionKind, ProofKind } from '../../core/records.ts'
import { NOW_MS, TICK_MS } from './coarse-time.ts'
import type { ClaimOnItsWay, KernelHost } from './kernel-host.ts'
import type { SharedArea } from './shared-area.ts'

export interface Violation {
  readonly rule: string
  readonly text: string
}

/** What clients reach at a host, and what the bounds look at. */
export interface Look {
  readonly name: string
  readonly given: readonly { readonly function: string; readonly kind: FunctionKind }[]
  readonly generation: number
  /** A function goes on though the lease has run out (R8). */
  readonly rides: boolean
}

export function lookAt({ name, given, guard }: KernelHost): Look {
  return {
    name, given: [...given].map(([of, { kind }]) => ({ function: of, kind })), generation: guard.present_generation,
    rides: guard.status(NOW_MS).deadline_ms === 0 && guard.all().length > 0,
  }
}

/** S1 and S2. */
export function twoGivers(functions: readonly string[], looks: readonly Look[]): Violation | undefined {
  for (const name of functions) {
    const givers = looks.filter(({ given }) => given.some(item => item.function === name))
    if (givers.length < 2) continue
    const virtual = givers.every(({ given }) => given.some(item => item.function === name && item.kind === 'virtual'))
    return { rule: virtual ? 'S2' : 'S1', text: `${name} is given by ${givers.map(giver => giver.name).join(' and ')}` }
  }
  return undefined
}

/** S3: at the moment a function begins to be given the newest claim says so. */
export function startWithoutClaim(host: string, { function: of, epoch, generation }: { readonly function: string; readonly epoch: number; readonly generation: number }, area: SharedArea): Violation | undefined {
  const claim = area.claims.get(of)
  if (claim?.epoch === epoch && claim.holder === host && claim.generation === generation && !claim.released) return undefined
  const newest = claim ? `the newest is epoch ${claim.epoch} of ${claim.holder}, generation ${claim.generation}${claim.released ? ', released' : ''}` : 'there is no claim'
  return { rule: 'S3', text: `${host} begins to give ${of} under epoch ${epoch}; ${newest}` }
}

/** S6: who renews its lease keeps what it holds. `gone_ms`: after that nothing of a lease is left. */
export function livingHolder(of: string, { epoch, holder, proof }: ClaimOnItsWay, area: SharedArea, gone_ms: number): Violation | undefined {
  const former = area.claims.get(of)
  const lease = former && area.leases.get(former.holder)
  if (proof !== 'silence' || lease?.generation !== former?.generation || !lease || lease.age * TICK_MS >= gone_ms) return undefined
  return { rule: 'S6', text: `${holder} claims ${of}/${epoch} by silence of ${former.holder}, which renewed ${lease.age} ticks ago` }
}

/** S3: nobody gives a function any more when another's claim is won. */
export function formerGiver(of: string, { epoch, holder, proof }: { readonly epoch: number; readonly holder: string; readonly proof: ProofKind }, looks: readonly Look[]): Violation | undefined {
  const giver = looks.find(({ name, given }) => name !== holder && given.some(item => item.function === of))
  return giver && { rule: 'S3', text: `${holder} wins claim ${of}/${epoch} (${proof}) while ${giver.name} still gives ${of}` }
}
