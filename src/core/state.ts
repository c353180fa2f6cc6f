import type { Trouble } from './trouble.ts'
import type { Inventory } from './inventory.ts'
import type { ConditionMessage, GivingStage } from './message.ts'
import type { HostCapacity, LoadAverage } from './non-select.ts'
import type { Prediction } from './prediction.ts'
import type { Profile } from './profile.ts'
import type { ClaimRecord, FunctionKind, LeaseRecord, ReleaseRecord } from './records.ts'
import type { Priority } from './ring.ts'

/** What this host knows of another one (or of itself, as others see it on the share). */
export interface HostFacts {
  readonly name: string
  lease: LeaseRecord | undefined
  /** R3: return time of the first fresh read that showed this (generation, sequence). */
  lease_since_ms: number
  /** When the pair was last seen to grow; unlike the silence not counted anew after a gap. */
  lease_grew_ms: number
  /** Since when this generation of the host is known. */
  generation_since_ms: number
  /** How long the lease had been silent when the last good read was issued. */
  lease_silent_ms: number
  /** The kept-open stream of the peers edge. */
  reachable: boolean
  condition: ConditionMessage | undefined
  condition_ms: number
  /** R8: we have promised not to claim anything of this host until then. */
  promised_until_ms: number
}

export interface FunctionFacts {
  readonly name: string
  claim: ClaimRecord | undefined
  release: ReleaseRecord | undefined
  /** When this claim was first seen, for "since". */
  since_ms: number
  /** Starts in a row that came to nothing (releases `not-started`), and when the last one was seen. */
  failed_starts: number
  failed_ms: number
  /** Newest own epoch whose release was ordered: the record may be applied at any time, so it is never served again. */
  given_up_epoch: number
  /** When a release record was last ordered. */
  releasing_ms: number
  /** The operator asked for its return, whatever the policy; forgotten once it is home. */
  return_wanted: boolean
  /** When its return to its own server was last asked for. */
  returning_ms: number
}

/** A function this host gives, prepares or ends. */
export interface Giving {
  readonly function: string
  readonly kind: FunctionKind
  stage: GivingStage
  /** Of the claim it is given under; before the claim, the epoch that must still be the newest. */
  epoch: number
  incident: string
  /** Who nominated us and hears of the progress. */
  nominator: string
  heard_ms: number
  /** The step under way must have ended by then. */
  deadline_ms: number
  /** Set on target recovery: hand over to this host and generation once stopped. */
  hand_over: { readonly to: string; readonly generation: number; readonly incident: string } | undefined
  stopped: boolean
}

export type Mode = 'regular' | 'network examination' | 'service recovery' | 'backup server' | 'target recovery'

export interface Watch {
  readonly target: string
  priority: Priority
  mode: Mode
  mode_since_ms: number
  /** Consecutive lost pings. */
  ping_missed: number
  /** Ever answered since this watch began: a host that was never seen is not "lost". */
  ping_seen: boolean
  /** Outcome of the examination under way: own pings and those asked of others. */
  examination: { readonly started_ms: number; direct: boolean | undefined; indirect: boolean; request: number } | undefined
  service: { verdict: 'OK' | 'ERROR' | 'NG' | undefined; daemon: string; detail: string; good_rounds: number; good_seen: boolean; probing_since_ms: number | undefined }
  repair: { step: 'confirm' | 'restart' | 'verify' | 'release' | 'failed'; started_ms: number; deadline_ms: number; daemon: string; epoch: number } | undefined
  incident: string | undefined
  /** Rungs climbed while the target is back without a good service. */
  readying: { rung: number; next_ms: number }
  /** So that a standing condition is logged once. */
  noted: string
}

/** The search for a host that gives a function again. */
export interface Rehoming {
  readonly function: string
  readonly incident: string
  /** The epoch that has ended or is about to. */
  readonly epoch: number
  nominee: string | undefined
  as: FunctionKind
  nominated_ms: number
  heard_ms: number
  stage: string
  readonly tried: Set<string>
  retry_ms: number
}

export type HealingStep = 'wait for reboot' | 'reboot' | 'wait for start' | 'down' | 'up'

export interface Incident {
  readonly id: string
  readonly target: string
  trouble: Trouble
  readonly detected_ms: number
  /** What has to be given again, each with the epoch that ended. */
  readonly functions: Map<string, number>
  /** Background job 1 or 2. */
  healing: { step: HealingStep; until_ms: number; reboots: number; wakes: number }
  target_generation: number
  predicted: Prediction
  function_ms: number | undefined
  target_ms: number | undefined
  restored: Set<string>
}

export interface State {
  readonly self: string
  /** Wall clock minus boot clock when the agent started: it names incidents, nothing is decided by it. */
  readonly wall_offset_ms: number
  /** As last published and found good; `reconfigure` alone changes it. */
  inventory: Inventory
  readonly profile: Profile
  /** Server names in ring order. `hosts` may know more: former members whose claims still stand. */
  order: readonly string[]
  readonly started_ms: number
  /** `electorate`: the names a record of ours on the share may list, as the guard says; absent before it has said so. */
  own: { generation: number; sequence: number; deadline_ms: number; electorate?: readonly string[] }
  share: { good: boolean; last_started_ms: number; last_returned_ms: number; outstanding_ms: number | undefined; look: boolean }
  readonly hosts: Map<string, HostFacts>
  readonly functions: Map<string, FunctionFacts>
  readonly giving: Map<string, Giving>
  readonly watches: Map<string, Watch>
  readonly rehoming: Map<string, Rehoming>
  readonly incidents: Map<string, Incident>
  /** At P2: since when proof stands for a function and P1 has not acted. */
  readonly standing_by: Map<string, number>
  round: { number: number; next_ms: number; surveyed: boolean }
  load: { average: LoadAverage; forecast: LoadAverage; capacity: HostCapacity } | undefined
  promise: { request: number; sent_ms: number; requests: readonly { readonly request: number; readonly sent_ms: number }[]; answered_ms: Map<string, number>; ride_until_ms: number }
  /** When the guard was last told whom this host asks for promises. */
  electorate_told_ms: number
  /** Virtual servers this host looks after while they serve. */
  readonly virtual_services: Map<string, { readonly epoch: number; readonly bad_rounds: number; readonly answered: boolean }>
  /** Who asked us to probe whom (indirect probes). */
  readonly probe_requests: Map<string, readonly { readonly from: string; readonly request: number }[]>
  counter: number
  condition_sequence: number
  /** Others should hear of a change before the next round. */
  condition_due: boolean
  watched: string
}

export function newHostFacts(name: string, now_ms: number): HostFacts {
  return {
    name, lease: undefined, lease_since_ms: now_ms, lease_grew_ms: -Infinity, generation_since_ms: now_ms, lease_silent_ms: 0, reachable: false, condition: undefined,
    condition_ms: -Infinity, promised_until_ms: -Infinity,
  }
}

export function newFunctionFacts(name: string, now_ms: number): FunctionFacts {
  return {
    name, claim: undefined, release: undefined, since_ms: now_ms, failed_starts: 0, failed_ms: -Infinity, given_up_epoch: 0, releasing_ms: -Infinity, return_wanted: false,
    returning_ms: -Infinity,
  }
}

export function initialState(self: string, inventory: Inventory, profile: Profile, wall_offset_ms: number, now_ms: number): State {
  const order = inventory.servers.map(server => server.name)
  return {
    self, wall_offset_ms, inventory, profile, order, started_ms: now_ms,
    own: { generation: 0, sequence: 0, deadline_ms: 0 },
    share: { good: false, last_started_ms: -Infinity, last_returned_ms: -Infinity, outstanding_ms: undefined, look: true },
    hosts: new Map(order.map(name => [name, newHostFacts(name, now_ms)])),
    functions: new Map(order.map(name => [name, newFunctionFacts(name, now_ms)])),
    giving: new Map(), watches: new Map(), rehoming: new Map(), incidents: new Map(), standing_by: new Map(),
    round: { number: 0, next_ms: now_ms, surveyed: false },
    load: undefined,
    promise: { request: 0, sent_ms: -Infinity, requests: [], answered_ms: new Map(), ride_until_ms: -Infinity },
    electorate_told_ms: -Infinity,
    virtual_services: new Map(), probe_requests: new Map(), counter: 0, condition_sequence: 0, condition_due: false, watched: '',
  }
}
