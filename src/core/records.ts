/**
 * The hard state in the shared area (protocol 2): leases have one writer each, claims and releases
 * are written once. No record ever changes, none is deleted while it is the newest.
 */

/**
 * What a host says of itself in its lease.
 * `member`: manages and may be managed. `unmanaged`: the flag was taken away; the host keeps its VIP
 * and service and nobody may take them. `goodbye`: it has released everything it gave.
 */
export type LeaseStanding = 'member' | 'unmanaged' | 'goodbye'

export interface LeaseRecord {
  readonly schema: 'ringward.lease/1'
  readonly host: string
  /** Grows by one whenever the lease was lost or the host started afresh. */
  readonly generation: number
  /** Grows by one with each renewal within a generation. */
  readonly sequence: number
  readonly standing: LeaseStanding
  readonly boot_id: string
  /** R9: whom this host asks for promises (R8). Absent: it does not ride on this record. */
  readonly electorate?: readonly string[]
  /** R8 by majority: how many of them may be missing when this host rides. Absent: none. */
  readonly may_miss?: number
}

export type FunctionKind = 'native' | 'virtual'

/** Only a function's own server has its services, and it never runs its own virtual server. */
export function kindAt(host: string, name: string): FunctionKind {
  return host === name ? 'native' : 'virtual'
}

/** Why the former giver is known to have stopped (R4). */
export type ProofKind =
  /** The function has never been claimed. */
  | 'first'
  /** The former holder is an older generation of the claiming host itself. */
  | 'own-past'
  /** The holder's lease was silent for D_exp. */
  | 'silence'
  /** A release record stands for the former epoch (goodbye, remote hand, power, operator). */
  | 'released'
  /** The holder stopped first and hands the function over (target recovery). */
  | 'hand-over'

export interface ClaimRecord {
  readonly schema: 'ringward.claim/1'
  readonly function: string
  readonly epoch: number
  readonly holder: string
  /** The holder's generation under which the claim is good; under any other it is dead. */
  readonly generation: number
  readonly kind: FunctionKind
  readonly proof: ProofKind
  /** Present when the claim was made after silence: that generation of that host is over (R9). */
  readonly tombstone?: { readonly host: string; readonly generation: number }
  /** Who wrote the file: the holder, or on a hand-over the former holder. */
  readonly by: string
  /** Tells our own link(2) from another's when the outcome was lost. */
  readonly nonce: string
}

/** How it is known that the giver of an epoch has stopped. */
export type ReleaseHow = 'goodbye' | 'remote-hand' | 'power' | 'operator' | 'not-started'

export interface ReleaseRecord {
  readonly schema: 'ringward.release/1'
  readonly function: string
  /** The epoch of the claim that ends. */
  readonly epoch: number
  readonly how: ReleaseHow
  readonly by: string
}

/**
 * A question to a host that renews and that nobody reaches: is it alone? Replaced as a whole by whoever asks. It names the renewal that its writer saw last,
 * and is over some renewals later.
 */
export interface PillRecord {
  readonly schema: 'ringward.pill/1'
  readonly host: string
  readonly generation: number
  readonly sequence: number
  readonly by: string
}

/** One fresh look at the shared area. Only the newest claim of each function is carried. */
export interface Observation {
  readonly leases: readonly LeaseRecord[]
  readonly claims: readonly { readonly claim: ClaimRecord; readonly release?: ReleaseRecord }[]
  readonly orders: readonly StandingOrder[]
  /** Absent: nobody was ever asked. */
  readonly pills?: readonly PillRecord[]
}

/**
 * What an operator wants until it ends: a host kept empty, or a ring that does nothing. The edge has turned its end, a wall-clock time,
 * into a duration, and leaves out what has ended. A file on the share, so that it outlives every reboot.
 */
export type StandingOrder =
  | { readonly order: 'maintenance'; readonly host: string; readonly remaining_ms: number }
  | { readonly order: 'hold'; readonly remaining_ms: number }

/** Whether records list just these; undefined while one may list nobody. */
export function listsJust(listed: readonly string[] | undefined, names: readonly string[]): boolean {
  return listed?.length === names.length && names.every(name => listed.includes(name))
}
