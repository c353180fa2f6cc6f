import type { ClaimRecord, FunctionKind, PillRecord, ReleaseRecord } from './records.ts'
import type { Alert } from './protection.ts'
import type { Message } from './message.ts'
import type { Prediction } from './prediction.ts'
import type { Candidate, Outcome, Trouble } from './trouble.ts'

/** A claim the edge completes with a nonce. */
export type ClaimOrder = Omit<ClaimRecord, 'schema' | 'nonce'>
export type ReleaseOrder = Omit<ReleaseRecord, 'schema'>

export type PowerVerb = 'status' | 'on' | 'off'

/** Everything the core can ask for. The edges carry it out and answer with events. */
export type Command =
  /** Wake the core with `timer` at that time; a later order replaces an earlier one. */
  | { readonly command: 'timer'; readonly at_ms: number }
  | { readonly command: 'observe' }
  | { readonly command: 'claim'; readonly order: ClaimOrder }
  | { readonly command: 'release'; readonly order: ReleaseOrder }
  /** Ask a host on the shared area whether it is alone. Answer: `asked`. */
  | { readonly command: 'pill'; readonly order: Omit<PillRecord, 'schema'> }
  /** Ping the gateway as in an examination. Answer: `gateway`. */
  | { readonly command: 'gateway' }
  /** Load the virtual server, paused; `warm`: let it run with its VIP, cut off from every network. Answer: `prepared`. */
  | { readonly command: 'prepare'; readonly function: string; readonly warm: boolean }
  /** Put the function in the guard's charge, start it, add the VIP, announce. Answer: `serving`. */
  | { readonly command: 'serve'; readonly function: string; readonly epoch: number; readonly kind: FunctionKind; readonly generation: number }
  /** Take the VIP off and stop (virtual server: dropped, standby again). Answer: `stopped`. */
  | { readonly command: 'stop'; readonly function: string; readonly kind: FunctionKind }
  /** The hosts to ping for ever and to exchange heartbeats with. */
  | { readonly command: 'watch'; readonly targets: readonly string[] }
  /** Three quick pings 100 ms apart. Answer: `examined`. */
  | { readonly command: 'examine'; readonly target: string }
  /** All service dialogues of the target, at its own address or at its VIP. Answer: `probed`. */
  | { readonly command: 'probe'; readonly target: string; readonly where: 'own address' | 'vip' }
  /** Start a survey window's close: answer with `survey`. */
  | { readonly command: 'survey' }
  | { readonly command: 'send'; readonly to: string; readonly message: Message }
  | { readonly command: 'publish'; readonly message: Message }
  /** `look` and `give` only for targets without an agent: where is the VIP, and put it there (args: the epoch). */
  | { readonly command: 'hand'; readonly target: string; readonly verb: 'restart-daemon' | 'release' | 'reboot' | 'look' | 'give'; readonly args: readonly string[]; readonly limit_ms: number }
  | { readonly command: 'wake'; readonly target: string }
  /** Asks the power controller of the target, or switches by it. Answer: `power`, with the same `request`. */
  | { readonly command: 'power'; readonly target: string; readonly verb: PowerVerb; readonly request: number }
  /** R8: native functions may outlive the lease until then. */
  | { readonly command: 'ride'; readonly until_ms: number; readonly promised: readonly string[] }
  /** R9: the lease says from the next renewal on that these are asked for promises, and how many may be missing (none unless told). */
  | { readonly command: 'electorate'; readonly names: readonly string[]; readonly may_miss?: number }
  /** Protection that is lost, or is back. No answer. */
  | { readonly command: 'alert'; readonly alert: Alert; readonly state: 'raised' | 'over'; readonly since_ms: number }
  | { readonly command: 'incident'; readonly entry: IncidentEntry }

/** One line of an incident's record; `after_ms` counts from the detection. */
export interface IncidentEntry {
  readonly incident: string
  readonly target: string
  readonly stage: string
  readonly after_ms: number
  readonly trouble?: Trouble
  readonly manager?: string
  readonly chosen_host?: string
  readonly candidates?: readonly Candidate[]
  readonly function_ms?: number
  readonly target_ms?: number
  readonly outcome?: Outcome
  readonly predicted?: Prediction
  readonly detail?: string
}

/** Why something is done, written to the system log before it is done (S5). */
export interface Reason {
  /** The thesis's log words where it has them (appendix F6); `__` leads lines of background jobs. */
  readonly text: string
  readonly level: 'info' | 'warning' | 'alarm'
  readonly incident?: string
}
