/** One host of the search: the real core's state and the real guard, what its kernel holds, and what is on its way. */
import { newFunctionFacts, newHostFacts, initialState, type State } from '../../core/state.ts'
import type { Inventory } from '../../core/inventory.ts'
import type { FunctionKind, ProofKind, ReleaseHow } from '../../core/records.ts'
import type { ClaimOrder } from '../../core/command.ts'
import type { Profile } from '../../core/profile.ts'
import { GuardCore } from '../../guard/guard-core.ts'
import type { Charge } from '../../guard/guard-protocol.ts'
import { sampleInventory } from '../sample-inventory.ts'
import { coarseProfile, COARSE_TIMES, NOW_MS, TICK_MS, type Bounds, type CoarseTimes } from './coarse-time.ts'

/** The newest claim of a function, as the share has it or a read showed it. */
export interface SharedClaim {
  readonly epoch: number
  readonly holder: string
  readonly generation: number
  readonly kind: FunctionKind
  readonly released: boolean
}

/** A lease in a read: `same` as the one seen last, and whether it still stands in the share. */
export interface SeenLease {
  readonly generation: number
  readonly electorate: readonly string[] | undefined
  readonly may_miss: number
  readonly same: boolean
  stands: boolean
}

/** As the share helper reads: all leases first, the claims after them. */
export interface Read {
  leases: Map<string, SeenLease> | undefined
  claims: Map<string, SharedClaim> | undefined
}

export interface ClaimOnItsWay {
  readonly epoch: number
  readonly holder: string
  readonly generation: number
  readonly kind: FunctionKind
  readonly proof: ProofKind
  readonly tombstone: number
  /** `lost` to `standing`; `abandoned`: nobody waits for the answer, and it may still be applied. */
  phase: 'asked' | 'won' | 'lost' | 'abandoned'
  standing: SharedClaim | undefined
}

export interface ReleaseOnItsWay {
  readonly epoch: number
  readonly how: ReleaseHow
  phase: 'asked' | 'done' | 'abandoned'
}

/** What the agent has ordered for a function; one after the other (agent/turns.ts). */
export type FunctionOrder =
  | { readonly order: 'serve'; readonly function: string; readonly epoch: number; readonly kind: FunctionKind; readonly generation: number; called_off: boolean; done: boolean }
  | { readonly order: 'stop'; readonly function: string }

/** A message of R8 on its way; an answer has the time of its question. */
export interface Sent {
  readonly to: string
  readonly asked_ms: number
  readonly message: RideMessage
}

/** Without its number, which says when it was asked (`requestOf`). */
export type RideMessage =
  | { readonly kind: 'promise-request'; readonly epoch: number }
  | { readonly kind: 'promise' }
  | { readonly kind: 'consent-request'; readonly holder: string }
  | { readonly kind: 'consent'; readonly free_ms: number }

export interface KernelHost {
  readonly name: string
  state: State
  guard: GuardCore
  /** What clients reach here, and when kernel or watchdog ends it at the latest. */
  readonly given: Map<string, { readonly kind: FunctionKind; readonly until_ms: number }>
  /** The renewal under way stands in the share and is not acknowledged yet. */
  renewal_applied: boolean
  /** Hosts whose lease in the share is the one this agent saw last. */
  readonly up_to_date: Set<string>
  read: Read | undefined
  readonly claims: Map<string, ClaimOnItsWay>
  readonly releases: Map<string, ReleaseOnItsWay>
  orders: FunctionOrder[]
  /** The newest of each kind on its way to each host. */
  readonly sent: Map<string, Sent>
}

/** The holder of functions that are not played: an agentless one, whom no rule lets anybody follow. */
const ELSEWHERE = 'elsewhere'

export const HOST_NAMES: readonly string[] = ['a', 'b', 'c', 'd']

export class KernelRing {
  readonly names: readonly string[]
  readonly functions: readonly string[]
  readonly profile: Profile
  readonly bounds: Bounds
  private readonly inventory: Inventory

  constructor(bounds: Bounds, times: CoarseTimes = COARSE_TIMES) {
    this.bounds = bounds
    this.profile = coarseProfile(times)
    this.names = HOST_NAMES.slice(0, bounds.hosts)
    this.functions = this.names.slice(0, bounds.functions)
    this.inventory = { ...sampleInventory(bounds.hosts, { names: this.names }), ...bounds.ride ? { ride: bounds.ride } : {} }
  }

  /** Whether a claim by silence may need the consents of others. */
  get asks_consents(): boolean {
    return this.inventory.ride === 'majority'
  }

  /** An agent that has just started. The ring is on hold: managers note and do nothing, and any host may be nominated at any time instead. */
  newState(self: string): State {
    const state = initialState(self, this.inventory, this.profile, 0, NOW_MS)
    state.was_whole = true
    state.orders.hold_until_ms = Infinity
    state.counter = REQUEST_NOW - 1
    // Each hears the others' conditions: who does not begins no virtual server, which is placement's rule and keeps nothing safe.
    for (const host of state.hosts.values()) Object.assign(host, { reachable: true, condition_ms: NOW_MS })
    state.hosts.set(ELSEWHERE, newHostFacts(ELSEWHERE, NOW_MS))
    for (const name of this.names) {
      if (this.functions.includes(name)) continue
      const claim = { schema: 'ringward.claim/1', function: name, epoch: 1, holder: ELSEWHERE, generation: 0, kind: 'native', proof: 'first', by: ELSEWHERE, nonce: '' } as const
      state.functions.set(name, { ...newFunctionFacts(name, NOW_MS), claim })
    }
    return state
  }

  newHost(name: string): KernelHost {
    const guard = new GuardCore(this.profile, 1, NOW_MS)
    guard.goBeyond(0)
    guard.agentPresent(true, NOW_MS)
    return {
      name, state: this.newState(name), guard, given: new Map(), renewal_applied: false, up_to_date: new Set(), read: undefined, claims: new Map(), releases: new Map(), orders: [],
      sent: new Map(),
    }
  }
}

/** A request for promises is numbered by when it was asked: this one now, one less a tick ago. */
const REQUEST_NOW = 1_000
export const requestOf = (asked_ms: number): number => REQUEST_NOW - (NOW_MS - asked_ms) / TICK_MS
export const askedAt_ms = (request: number): number => NOW_MS - (REQUEST_NOW - request) * TICK_MS

export function chargeOf(name: string, epoch: number, kind: FunctionKind): Charge {
  return kind === 'native'
    ? { function: name, epoch, kind, vip: name, prefix: 32, device: 'simulated' }
    : { function: name, epoch, kind, virtual_server: name, pid: 1, pid_start: '1' }
}

export function claimOnItsWay(order: ClaimOrder): ClaimOnItsWay {
  const { epoch, holder, generation, kind, proof, tombstone } = order
  return { epoch, holder, generation, kind, proof, tombstone: tombstone?.generation ?? 0, phase: 'asked', standing: undefined }
}
