import type { PowerVerb } from './command.ts'
import type { FunctionKind, Observation } from './records.ts'
import type { HostCapacity, LoadAverage } from './non-select.ts'
import type { ClaimRecord } from './records.ts'
import type { StandbyFacts } from './state.ts'
import type { Inventory } from './inventory.ts'

export type Verdict = 'OK' | 'ERROR' | 'NG'

/** Everything the core can learn. Times are the boot clock of this host. */
export type Event =
  /** A timer the core asked for; carries nothing, `now` says it all. */
  | { readonly event: 'timer' }
  /** The guard's word on the own lease, after each renewal. `electorate`: every name that a record of ours on the share may list (R9); `may_miss`: how many of them may be missing. `took_ms`: how long the write took. */
  | { readonly event: 'lease'; readonly generation: number; readonly sequence: number; readonly deadline_ms: number; readonly took_ms?: number; readonly electorate?: readonly string[]; readonly may_miss?: number }
  /** Another publication has been fetched, verified and found good: who belongs to the ring from now on. */
  | { readonly event: 'inventory'; readonly inventory: Inventory }
  /** Whether the guard answers what this agent asks of it: told when it does not any more, and when it does again. */
  | { readonly event: 'guard'; readonly answers: boolean }
  /** The lease ended: everything in `stopped` has been stopped by the guard, `generation` is the new one. */
  | { readonly event: 'lease-lost'; readonly generation: number; readonly stopped: readonly string[] }
  /** A fresh read of the share, issued at `started_ms`, returned now. `free_kb`: how much can still be written there, when that is known. */
  | { readonly event: 'observed'; readonly started_ms: number; readonly observation: Observation; readonly free_kb?: number }
  | { readonly event: 'observe-failed'; readonly reason: string }
  /** `standing`: the record that stands at that epoch, ours or another's; absent when the outcome is unknown. */
  | { readonly event: 'claimed'; readonly function: string; readonly epoch: number; readonly outcome: 'won' | 'lost' | 'unknown'; readonly standing?: ClaimRecord; readonly detail: string }
  | { readonly event: 'released'; readonly function: string; readonly epoch: number; readonly ok: boolean; readonly detail: string }
  /** The virtual server is loaded and paused, or is not. */
  | { readonly event: 'prepared'; readonly function: string; readonly ok: boolean; readonly detail: string }
  /** The function is given (VIP on, announced), or is not. */
  | { readonly event: 'serving'; readonly function: string; readonly epoch: number; readonly ok: boolean; readonly detail: string }
  | { readonly event: 'stopped'; readonly function: string; readonly ok: boolean; readonly detail: string }
  /** Found at start: given by a former agent of this host under the same generation. */
  | { readonly event: 'adopted'; readonly function: string; readonly epoch: number; readonly kind: FunctionKind }
  /** A remote hand has ended it at the guard: the VIP is gone, and the epoch is barred. */
  | { readonly event: 'taken-off'; readonly function: string; readonly epoch: number }
  /** A virtual server this host was giving is no longer running. */
  | { readonly event: 'virtual-server-gone'; readonly function: string; readonly detail: string }
  /** One probe of the long-lived ping. */
  | { readonly event: 'ping'; readonly target: string; readonly answered: boolean }
  /** The result of command `examine`. */
  | { readonly event: 'examined'; readonly target: string; readonly answered: boolean }
  /**
   * One round's service dialogues with a target: the worst daemon decides. `timed_out`: by this host's own clock, nothing came in time; nothing was refused and
   * nothing wrong was said. `slow`: moreover the connection was taken. `started_ms`: when they began (boot clock); absent: just now.
   */
  | { readonly event: 'probed'; readonly target: string; readonly where: 'own address' | 'vip'; readonly verdict: Verdict; readonly daemon: string; readonly detail: string; readonly timed_out?: boolean; readonly slow?: boolean; readonly started_ms?: number }
  /** How this host itself fares, since the last word: the longest hold-up of the agent, and lost pings to its own address. `wall_offset_ms`: wall clock minus boot clock. `unwritten`: lines of its log that its disk does not take; absent: none. */
  | { readonly event: 'health'; readonly stalled_ms: number; readonly own_probes_missed: number; readonly wall_offset_ms?: number; readonly unwritten?: number }
  /** What virtual servers would be started from on this host. */
  | { readonly event: 'standby'; readonly images: readonly (StandbyFacts & { readonly function: string })[] }
  | { readonly event: 'reach'; readonly host: string; readonly reachable: boolean; readonly why: string }
  | { readonly event: 'message'; readonly from: string; readonly message: unknown }
  /** The averages of one survey window. */
  | { readonly event: 'survey'; readonly average: LoadAverage; readonly capacity: HostCapacity }
  /** `vip`: where the hand saw the VIP of a target without an agent. `barred`: that epoch was taken off it before. */
  | { readonly event: 'hand'; readonly target: string; readonly verb: string; readonly ok: boolean; readonly detail: string; readonly vip?: 'on' | 'off'; readonly barred?: boolean }
  /** The operator's word: the function may go back to its own server though its policy is manual. */
  | { readonly event: 'return-wanted'; readonly function: string }
  /** This host is about to shut down or reboot: what it gives goes to others first (protocol 6). */
  | { readonly event: 'leave'; readonly why: 'shutdown' | 'reboot' }
  /** A power controller's word; `unknown`: it did not answer, or not readably. After `on` and `off` the state a later status told. */
  | { readonly event: 'power'; readonly target: string; readonly verb: PowerVerb; readonly request: number; readonly state: 'on' | 'off' | 'unknown'; readonly detail: string }
  /** The operator's word: this host has stopped for good, whatever it gave. */
  | { readonly event: 'confirmed-dead'; readonly target: string }
  /** The question to a host whether it is alone was written, or was not. */
  | { readonly event: 'asked'; readonly target: string; readonly ok: boolean; readonly detail: string }
  /** The gateway answered one of several pings, or none. */
  | { readonly event: 'gateway'; readonly answered: boolean }
  | { readonly event: 'woken'; readonly target: string; readonly ok: boolean; readonly detail: string }
