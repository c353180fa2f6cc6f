/** The shared area of the search: the newest lease of each host, the newest claim of each function. */
import type { ClaimOnItsWay, ReleaseOnItsWay, SharedClaim } from './kernel-host.ts'

export interface SharedLease {
  readonly generation: number
  readonly electorate: readonly string[] | undefined
  readonly may_miss: number
  /** Ticks since its renewal was issued (R1: t0), for S6; D_gone at most. */
  readonly age: number
}

export interface SharedArea {
  readonly leases: Map<string, SharedLease>
  readonly claims: Map<string, SharedClaim>
}

export const emptyArea = (): SharedArea => ({ leases: new Map(), claims: new Map() })

export const encodeArea = ({ leases, claims }: SharedArea): string => JSON.stringify([[...leases].sort(byName), [...claims].sort(byName)])

export function decodeArea(text: string): SharedArea {
  const [leases, claims] = JSON.parse(text) as [[string, SharedLease][], [string, SharedClaim][]]
  return { leases: new Map(leases), claims: new Map(claims) }
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number => one.localeCompare(other)

export function grownOlder(area: SharedArea, gone: number): SharedArea {
  for (const [name, lease] of area.leases) area.leases.set(name, { ...lease, age: Math.min(lease.age + 1, gone) })
  return area
}

/** What a claim finds: `next` is won, `taken` is lost to whoever stands there, `gap` is what S7 forbids. */
export function claimPlace(area: SharedArea, name: string, claim: ClaimOnItsWay): 'next' | 'taken' | 'gap' {
  const newest = area.claims.get(name)?.epoch ?? 0
  if (claim.epoch <= newest) return 'taken'
  return claim.epoch === newest + 1 ? 'next' : 'gap'
}

export function addRelease(area: SharedArea, name: string, { epoch }: ReleaseOnItsWay): void {
  const claim = area.claims.get(name)
  if (claim?.epoch === epoch) area.claims.set(name, { ...claim, released: true })
}
