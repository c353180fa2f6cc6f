/**
 * The JSON documents of ringward: what the agent fills, the CLI prints and checks read.
 * Fields may be added; none is renamed, removed or given another meaning. Stamps (`at`, `since`, `detected`) are RFC 3339
 * in UTC by the wall clock of whoever wrote them; `age_ms` counts back from the document's own `at`.
 */
import type { ErrorCode } from '../errors.ts'
import type { StandbyKind } from '../core/inventory.ts'

/** `unreachable`: nothing is heard of the host, and nothing is proved. `unmanaged`: its flag was taken away; its service goes on. `watched`: it has no agent, and answers its managers. */
export type HostState = 'in ring' | 'watched' | 'separated' | 'suspended' | 'maintenance' | 'unreachable' | 'unmanaged'
export type GivenKind = 'native' | 'virtual' | 'none'
export type WatchMode = 'regular' | 'network examination' | 'service recovery' | 'backup server' | 'target recovery'
export type WatchPriority = 1 | 2
/** What happened to a target (thesis 5.4); `host`: gone without a known cause; `leave`: it announced that it goes. */
export type Trouble = 'St1' | 'St2' | 'Nt1' | 'Nt2' | 'host' | 'leave'

export interface WatchStatus {
  readonly name: string
  readonly priority: WatchPriority
  readonly mode: WatchMode
  readonly since?: string
}

export interface HostStatus {
  readonly name: string
  readonly state: HostState
  /** Since when the host is in that state; absent when nobody who answers has seen it begin. */
  readonly since?: string
  /** In maintenance: when it ends by itself; null when somebody must end it. */
  readonly maintenance_until?: string | null
  /** How old the newest word of this host is: its lease or its gossip, whichever is younger. */
  readonly age_ms: number | null
  /** `age_ms` since the issue of the last renewal seen; the lease is good while it is below `deadline_ms` (D_stop). Null: never seen. */
  readonly lease: { readonly age_ms: number | null; readonly deadline_ms: number; readonly good: boolean }
  readonly targets: readonly WatchStatus[]
}

export interface FunctionStatus {
  readonly name: string
  readonly vip: string
  /** The host that gives it, natively or by a virtual server; null with kind `none`. */
  readonly giver: string | null
  readonly kind: GivenKind
  /** Epoch of the newest claim; 0 before the first. */
  readonly epoch: number
  readonly since: string | null
}

export interface VirtualServerStatus {
  readonly name: string
  /** The server whose function it gives. */
  readonly for: string
  /** Where it is; null while it waits in the shared area. */
  readonly host: string | null
  readonly state: 'standby' | 'preparing' | 'paused' | 'running' | 'failed' | 'unknown'
  readonly standby?: StandbyKind
}

export interface OpenIncident {
  readonly id: string
  readonly target: string
  readonly trouble: Trouble
  readonly manager: string
  readonly detected: string
  /** The stage reached last. */
  readonly stage: string
}

/** A promise not to claim anything of `to` (ride through a share outage), as its giver or its receiver counts it. */
export interface PromiseStatus {
  readonly from: string
  readonly to: string
  readonly left_ms: number
}

/** Protection that is lost although nothing has failed: the next failure would find it missing. */
export interface AlertStatus {
  readonly code: ErrorCode
  /** A host or a function. */
  readonly subject: string
  readonly reason: string
  readonly next_step: string
  readonly since: string
}

/** What the alert command of a host reads on its standard input: one such object. */
export interface AlertDocument extends AlertStatus {
  readonly schema: 'ringward.alert/1'
  readonly at: string
  /** Who tells it. */
  readonly host: string
  readonly state: 'raised' | 'over'
}

export interface StatusDocument {
  readonly schema: 'ringward.status/1'
  readonly at: string
  /** The host that answers; everything is as seen from there. */
  readonly host: string
  readonly version: string
  readonly profile: string
  readonly interval_ms: number
  readonly verdict: 'ok' | 'degraded' | 'critical'
  readonly reason: string
  readonly hosts: readonly HostStatus[]
  readonly functions: readonly FunctionStatus[]
  readonly virtual_servers: readonly VirtualServerStatus[]
  /** `unknown` before the first answer. `latency_ms` of the last acknowledged write, `age_ms` since then. */
  readonly share: { readonly state: 'ok' | 'slow' | 'silent' | 'error' | 'unknown'; readonly latency_ms: number | null; readonly age_ms: number | null; readonly free_kb?: number }
  readonly promises: readonly PromiseStatus[]
  /** R8 by majority: how many of those whom this host's lease lists a ride may miss. Absent: the promises of all are needed. */
  readonly ride?: { readonly policy: 'majority'; readonly asked: number; readonly may_miss: number }
  /** Functions that nobody could give if their giver failed now, and why. */
  readonly unprotected: readonly { readonly function: string; readonly reason: string }[]
  /** Lost protection, as this host knows it; an older agent does not tell. */
  readonly alerts?: readonly AlertStatus[]
  readonly incidents_open: readonly OpenIncident[]
  /** The whole ring does nothing: until then, or null until somebody ends it. Absent without a hold. */
  readonly hold_until?: string | null
  readonly warnings: readonly string[]
}

export interface RingMember {
  /** Place in the ring, from 1, in the order of the Group file. */
  readonly number: number
  readonly name: string
  readonly state: HostState
  /** Whom it manages with each priority; null when it has nobody. */
  readonly p1_target: string | null
  readonly p2_target: string | null
}

export interface RingDocument {
  readonly schema: 'ringward.ring/1'
  readonly at: string
  readonly host: string
  /** First server of the ring: it sends the sync message S. */
  readonly synchroniser: string | null
  readonly members: readonly RingMember[]
  readonly separated: readonly { readonly name: string; readonly state: HostState; readonly since: string | null; readonly giver: string | null }[]
}

export interface LoadFigure {
  /** Newest average; null before the first survey. Units: KB available, percent idle, KB/s sent and received. */
  readonly average: number | null
  readonly forecast: number | null
  /** 0 best … 100 worst over all managers. */
  readonly normalised: number | null
}

export interface HostLoad {
  readonly name: string
  readonly virtual_servers: number
  readonly memory: LoadFigure
  readonly cpu: LoadFigure
  readonly network: LoadFigure
  /** Lower is better, by the type of the failed server (thesis 5.2.5); null before the first survey. */
  readonly non_select: { readonly CPU: number | null; readonly NETWORK: number | null; readonly CPU_NET: number | null }
  readonly age_ms: number | null
}

export interface LoadDocument {
  readonly schema: 'ringward.load/1'
  readonly at: string
  readonly host: string
  readonly hosts: readonly HostLoad[]
}

export interface Candidate {
  readonly host: string
  /** Its non-select value; null when it was out of the question. */
  readonly value: number | null
  readonly reason: string
}

export interface Prediction {
  readonly function_ms: number | null
  readonly target_ms: number | null
  readonly client_ms: number | null
}

export interface IncidentStage {
  readonly name: string
  readonly at: string
  /** Since the detection. */
  readonly after_ms: number
  readonly host?: string
  readonly text?: string
}

/**
 * `open`: still in work. `resumed`: a false alarm. `repaired`: the service was restarted, no takeover. `returned`: the target
 * gives its function again. `down`: the target did not come back, its virtual server goes on. `handed over`: an announced leave.
 * `passed on`: its manager's agent ended before the trouble did.
 */
export type IncidentOutcome = 'open' | 'resumed' | 'repaired' | 'returned' | 'down' | 'forgotten' | 'handed over' | 'passed on'

export interface Incident {
  readonly id: string
  readonly target: string
  readonly trouble: Trouble | null
  readonly detected: string
  readonly manager: string
  readonly chosen_host: string | null
  readonly candidates: readonly Candidate[]
  readonly stages: readonly IncidentStage[]
  /** From the detection until the function was given again, null without a takeover or before. */
  readonly function_ms: number | null
  /** From the detection until the target was good again. */
  readonly target_ms: number | null
  readonly predicted: Prediction
  readonly outcome: IncidentOutcome
  /** Who went on with the target in an incident of its own, and how long after the detection of this one. */
  readonly successor?: { readonly manager: string; readonly incident: string; readonly after_ms: number }
}

/** Thesis 1.1, 1.2 and 2.10, over the window the records cover. */
export interface Availability {
  readonly target: string
  readonly window_ms: number
  readonly incidents: number
  readonly conventional: number
  readonly improved: number
  readonly improvement_percent: number
}

export interface IncidentsDocument {
  readonly schema: 'ringward.incidents/1'
  readonly at: string
  /** `local`: the shared area did not answer; only what this host recorded is listed. */
  readonly source: 'share' | 'local'
  /** Newest first. */
  readonly incidents: readonly Incident[]
  readonly availability: readonly Availability[]
}

/** One line of `log --json`. */
export interface LogDocument {
  readonly schema: 'ringward.log/1'
  readonly time: string
  readonly host: string
  readonly sequence: number
  readonly level: string
  readonly incident: string | null
  readonly text: string
}

/** One JSON object on stderr when a command with `--json` fails. */
export interface ErrorDocument {
  readonly schema: 'ringward.error/1'
  readonly code: string
  readonly message: string
}

/** What a command that acts did, or with `--dry-run` would do. */
export interface ActionDocument {
  readonly schema: 'ringward.action/1'
  readonly at: string
  readonly verb: string
  readonly dry_run: boolean
  readonly steps: readonly ActionStep[]
}

export interface ActionStep {
  readonly host: string
  readonly act: string
  readonly outcome: 'planned' | 'done' | 'unchanged' | 'failed'
  readonly reason?: string
}
