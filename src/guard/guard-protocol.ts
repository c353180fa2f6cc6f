/**
 * Between agent and guard: JSON lines over a Unix socket (`/run/ringward/guard.sock`, 0600).
 * The guard renews the lease, gives addresses their lifetime and stops everything at the deadline (R1, R2);
 * it decides nothing else. All times are the boot clock, which both processes read on the same host.
 */
import type { LeaseStanding } from '../core/records.ts'

/** A native function: the guard keeps the VIP alive on the device. */
export interface NativeCharge {
  readonly function: string
  readonly epoch: number
  readonly kind: 'native'
  readonly vip: string
  readonly prefix: number
  readonly device: string
}

/** A virtual server that serves: the guard kills the process at the deadline. */
export interface VirtualCharge {
  readonly function: string
  readonly epoch: number
  readonly kind: 'virtual'
  readonly virtual_server: string
  readonly pid: number
  readonly pid_start: string
}

export type Charge = NativeCharge | VirtualCharge

export type GuardRequest =
  /** Puts a function in the guard's charge. Refused when the lease is not good for `margin_ms` more, the
   *  generation is not the present one, or the epoch is barred. The VIP is on the device when it answers ok. */
  | { readonly request: number; readonly verb: 'arm'; readonly generation: number; readonly margin_ms: number; readonly charge: Charge }
  /** Ends a charge: the VIP is removed / the process is no longer watched. Idempotent. */
  | { readonly request: number; readonly verb: 'disarm'; readonly function: string }
  /** Like disarm, and from now on refuses that epoch and older ones of that function (remote hand `release`). Refused when a newer epoch is in charge. */
  | { readonly request: number; readonly verb: 'bar'; readonly function: string; readonly epoch: number }
  /** R8: native charges may outlive the lease deadline until then. Refused unless everybody whom a lease record may list is among `promised` (R9), but for as many as the records let it miss. */
  | { readonly request: number; readonly verb: 'ride'; readonly until_ms: number; readonly promised: readonly string[] }
  /** R9: the lease says from the next renewal on that these are asked for promises, and how many of them a ride may miss: none unless told. */
  | { readonly request: number; readonly verb: 'electorate'; readonly names: readonly string[]; readonly may_miss?: number }
  /** Clean stop of management: virtual servers are killed; last lease record with that standing; VIPs of native charges become permanent
   *  (`unmanaged`) or are removed (`goodbye`); then the guard exits. */
  | { readonly request: number; readonly verb: 'leave'; readonly standing: Exclude<LeaseStanding, 'member'> }
  | { readonly request: number; readonly verb: 'status' }

export interface GuardReply {
  readonly reply: number
  readonly ok: boolean
  /** Why it was refused or failed. */
  readonly reason?: string
  readonly status?: GuardStatus
}

export interface GuardStatus {
  readonly generation: number
  readonly sequence: number
  /** Boot-clock time until which the lease is good; 0 before the first acknowledgement. */
  readonly deadline_ms: number
  readonly ride_until_ms: number
  readonly good: boolean
  /** Duration of the last acknowledged renewal. */
  readonly renew_latency_ms: number
  readonly charges: readonly Charge[]
  readonly barred: Readonly<Record<string, number>>
  /** Every name that a lease record on the share may list (R9); absent while one may list none. */
  readonly electorate?: readonly string[]
  /** How many of them a ride may miss; absent: none. */
  readonly may_miss?: number
}

/** Unasked: after each acknowledged renewal, when the lease is late, when it is lost, and on connection. */
export type GuardNotice =
  | { readonly notice: 'lease'; readonly status: GuardStatus }
  /** All charges were stopped because the lease ended; `generation` is the new one. */
  | { readonly notice: 'lost'; readonly generation: number; readonly stopped: readonly string[] }
  /** That charge was ended by a bar: by a remote hand, unless the agent has asked for it itself. */
  | { readonly notice: 'barred'; readonly function: string; readonly epoch: number }
  | { readonly notice: 'problem'; readonly text: string }
