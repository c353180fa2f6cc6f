import type { StandingAlert } from './alerts.ts'
import type { Appliance } from './appliance.ts'
import type { Trouble } from './trouble.ts'
import type { LocalHealth } from './local-health.ts'
import type { Inventory, Server } from './inventory.ts'
import type { ConditionMessage, GivingStage, Leaving, RunningProgram } from './message.ts'
import type { HostCapacity, LoadAverage } from './non-select.ts'
import type { Prediction } from './prediction.ts'
import type { Profile } from './profile.ts'
import type { ClaimRecord, FunctionKind, LeaseRecord, PillRecord, ReleaseHow, ReleaseRecord } from './records.ts'
import type { Priority } from './ring.ts'

/** What this host knows of another one (or of itself, as others see it on the share). */
export interface HostFacts {
  readonly name: string
  /** With the newest pair (generation, sequence). */
  lease: LeaseRecord | undefined
  /** R3: return time of the last fresh read that showed something new. */
  lease_since_ms: number
  /** The last record read that was older than that: written late, or read stale. */
  older: LeaseRecord | undefined
  /** When a read last showed the newest pair, or none could. */
  newest_read_ms: number
  /** When the pair was last seen to grow; unlike the silence not counted anew after a gap. */
  lease_grew_ms: number
  /** Since when this generation of the host is known. */
  generation_since_ms: number
  /** Silent for D_stop once, and not seen to grow since. */
  missing: boolean
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
  /** Newest own epoch whose release or hand-over was ordered: the record may be applied at any time, so it is never served again. */
  given_up_epoch: number
  /** The claim this host has ordered last, until its outcome is known. */
  claiming: { readonly epoch: number; readonly generation: number } | undefined
  /** When a release record was last ordered, and from when on it may be ordered again. */
  releasing_ms: number
  release_again_ms: number
  /** Virtual servers started afresh because they were overloaded, since the function was last at home. */
  overload_restarts: number
  /** The operator asked for its return, whatever the policy; forgotten once it is home. */
  return_wanted: boolean
  /** When its return to its own server was last asked for. */
  returning_ms: number
  /** When it came home lately: a server that flaps is let home later each time (protocol 6). */
  came_home_ms: readonly number[]
  /** The number of homecomings that was last complained about. */
  flapping_told: number
}

/** A function this host gives, prepares or ends. */
export interface Giving {
  readonly function: string
  readonly kind: FunctionKind
  stage: GivingStage
  /** Of the claim it is given under; before the claim, the epoch that must still be the newest. */
  epoch: number
  incident: string
  readonly begun_ms: number
  /** Who nominated us and hears of the progress. */
  nominator: string
  heard_ms: number
  /** The step under way must have ended by then. */
  deadline_ms: number
  /** Set on target recovery and on an announced leave: hand over to this host and generation once stopped. */
  hand_over: { readonly to: string; readonly generation: number; readonly kind: FunctionKind } | undefined
  stopped: boolean
  /** How its epoch is released once it has stopped; without it, that it did not start, or a goodbye of a host that leaves. */
  release_as?: ReleaseHow
  /** When a remote hand took its VIP off: who has sent it writes the release, unless that one is lost meanwhile. */
  taken_off_ms?: number | undefined
  /** It is given under this epoch without a break and is being taken up under a later one (R8): if that fails, it goes on as before. */
  goes_on_as?: number | undefined
  /** When that is tried again. */
  again_ms?: number | undefined
}

export type Mode = 'regular' | 'network examination' | 'service recovery' | 'backup server' | 'target recovery'

/** What this host has heard from those it asked whether a promise of theirs stands (consent.ts). */
export interface Consents {
  /** Of the claim that is to be superseded, and the last renewal of its holder: what was heard tells nothing of a later one. */
  readonly epoch: number
  readonly generation: number
  readonly sequence: number
  readonly since_ms: number
  /** The last questions. */
  asked: readonly { readonly request: number; readonly sent_ms: number }[]
  /** When each of them held no promise for sure, by this host's clock. */
  readonly free_ms: Map<string, { readonly from_ms: number; readonly until_ms: number }>
  told_ms: number
}

/** A question for the power of a target, and what was known when it was asked. */
export interface PowerQuestion {
  /** An answer that comes after its question was given up is nobody's. */
  readonly request: number
  readonly asked_ms: number
  /** The claims the target held: no other may be released by the answer. */
  readonly claims: readonly { readonly function: string; readonly epoch: number; readonly generation: number }[]
}

export interface PowerFacts {
  /** Since when the target has been missed. */
  readonly since_ms: number
  asked_ms: number
  /** The one under way. */
  question: PowerQuestion | undefined
  /** The question that was answered "off", until the target renews its lease. */
  off: PowerQuestion | undefined
  /** So that a standing answer is logged once. */
  said: string
}

export interface Watch {
  readonly target: string
  priority: Priority
  mode: Mode
  mode_since_ms: number
  /** Consecutive lost pings. */
  ping_missed: number
  /** Ever answered since this watch began: a host that was never seen is not "lost". */
  ping_seen: boolean
  /** Since when the path has been good; Infinity while it is not. Dialogues that began before tell nothing. */
  path_good_ms: number
  /** Outcome of the examination under way: own pings and those asked of others. */
  examination: { readonly started_ms: number; direct: boolean | undefined; indirect: boolean; request: number } | undefined
  /** `timed_out`: the verdict is a silence by this host's clock. */
  service: { verdict: 'OK' | 'ERROR' | 'NG' | undefined; timed_out: boolean; daemon: string; detail: string; good_rounds: number; good_seen: boolean; probing_since_ms: number | undefined }
  repair: { step: 'confirm' | 'restart' | 'verify' | 'release' | 'failed'; verify_until_ms: number; deadline_ms: number; daemon: string; epoch: number } | undefined
  /** The epoch whose VIP the remote hand was ordered to take off, until it answers: its word is proof, whatever has changed meanwhile. */
  taking_off: number | undefined
  incident: string | undefined
  /** Rungs climbed while the target is back without a good service; `obeyed`: a hand has reached it since the first. */
  readying: { readonly rung: number; readonly ordered_ms: number; readonly next_ms: number; readonly obeyed: boolean }
  /** When a host that was asked to look last reached the target, and last said that it did not since. */
  elsewhere: { readonly heard_ms: number; readonly denied_ms: number }
  /** The renewal it was last asked after whether it is alone; forgotten when its path is good. */
  asked: { readonly generation: number; readonly sequence: number } | undefined
  /** So that a standing condition is logged once. */
  noted: string
}

/** The search for a host that gives a function again. */
export interface Rehoming {
  readonly function: string
  incident: string
  /** The epoch that has ended or is about to. */
  readonly epoch: number
  nominee: string | undefined
  as: FunctionKind
  nominated_ms: number
  heard_ms: number
  stage: string
  /** Since when the nominee is at that stage, as far as it said so. */
  stage_ms: number
  /** When a leaving holder was last told that the nominee stands ready. */
  ready_ms: number
  /** Since when the nominee is not reachable, alone or like everybody else; undefined while it is. */
  cut_off: { readonly since_ms: number; readonly alone: boolean } | undefined
  readonly tried: Set<string>
  retry_ms: number
}

/** `away`: it left on purpose and is waited for without being woken. */
export type HealingStep = 'away' | 'wait for reboot' | 'reboot' | 'wait for start' | 'down' | 'up'

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

/** `stale`: saved for other settings or another kind of processor; the virtual server starts cold. */
export interface StandbyFacts {
  readonly state: 'good' | 'missing' | 'stale'
  readonly detail: string
}

/** A stranger is no member: it has never joined, or has left. */
export type SeenAs = 'present' | 'absent' | 'stranger'

export interface State {
  readonly self: string
  /** Wall clock minus boot clock when the agent started: it names incidents, nothing is decided by it. */
  readonly wall_offset_ms: number
  /** As last published and found good; `reconfigure` alone changes it. */
  inventory: Inventory
  readonly profile: Profile
  /** What runs here; undefined where nobody asks (simulator, tests). */
  program: RunningProgram | undefined
  /** Server names in ring order. `hosts` may know more: former members whose claims still stand. */
  order: readonly string[]
  /** The servers of the inventory by name. */
  servers: ReadonlyMap<string, Server>
  /** Server names in the order in which several at once are placed (protocol 6): by their `priority`, then as in the ring. */
  by_priority: readonly string[]
  readonly started_ms: number
  /** This agent has seen every host of the ring present at the same time. */
  was_whole: boolean
  /** `electorate`: the names a record of ours on the share may list, as the guard says; absent before it has said so. `may_miss`: how many of them a ride may miss. */
  own: { generation: number; sequence: number; deadline_ms: number; electorate?: readonly string[]; may_miss?: number }
  readonly health: LocalHealth
  /** Renewals of the own lease that came late, and the last ones that took long. */
  renewals: { late: { readonly at_ms: number; readonly pause_ms: number } | undefined; slow: readonly { readonly at_ms: number; readonly took_ms: number }[] }
  /** Wall clock minus boot clock as last told, for comparison with others; nothing is decided by it. */
  clock_offset_ms: number | undefined
  /** The guard does not answer: what it keeps alone, a ride above all, nobody keeps. */
  guard_silent: boolean
  /** Lines of this host's log that its disk has not taken. */
  unwritten: number
  /** What this host would start virtual servers from, as last looked at, by function. */
  standby: ReadonlyMap<string, StandbyFacts>
  readonly alerts: { next_ms: number; readonly standing: Map<string, StandingAlert> }
  /** `free_kb`: absent while it is not known; nothing is decided by it. */
  share: { good: boolean; free_kb?: number; last_started_ms: number; last_returned_ms: number; outstanding_ms: number | undefined; look: boolean }
  readonly hosts: Map<string, HostFacts>
  readonly functions: Map<string, FunctionFacts>
  readonly giving: Map<string, Giving>
  readonly watches: Map<string, Watch>
  /** Servers without an agent, and what this host knows of those it watches. */
  without_agent: ReadonlySet<string>
  readonly appliances: Map<string, Appliance>
  readonly rehoming: Map<string, Rehoming>
  /** Of targets that are missed or off and have a power controller. */
  readonly power: Map<string, PowerFacts>
  readonly incidents: Map<string, Incident>
  /** At P2: since when proof stands for a function and P1 has not acted. */
  readonly standing_by: Map<string, number>
  round: { number: number; next_ms: number; surveyed: boolean; survey_ms: number }
  load: { average: LoadAverage; forecast: LoadAverage; capacity: HostCapacity } | undefined
  /** `unkept_since_ms`: since when the guard has had neither lease nor ride, as far as this agent has heard. */
  promise: { request: number; sent_ms: number; requests: readonly { readonly request: number; readonly sent_ms: number }[]; answered_ms: Map<string, number>; ride_until_ms: number; unkept_since_ms: number }
  /** By function that this host is to claim by silence. */
  readonly consents: Map<string, Consents>
  /** When the guard was last told whom this host asks for promises. */
  electorate_told_ms: number
  /** Virtual servers this host looks after while they serve. */
  readonly virtual_services: Map<string, { readonly epoch: number; readonly absent_rounds: number; readonly slow_rounds: number; readonly answered: boolean }>
  /** Who asked us to probe whom (indirect probes). */
  readonly probe_requests: Map<string, readonly { readonly from: string; readonly request: number }[]>
  counter: number
  condition_sequence: number
  /** Others should hear of a change before the next round. */
  condition_due: boolean
  /** Whom this host should manage, as found of a ring that was seen so, in its order (watching.ts). */
  roles: { readonly seen: readonly SeenAs[]; readonly wanted: ReadonlySet<string> }
  /** The operator's standing orders, by the share's word. */
  readonly orders: { hold_until_ms: number | undefined; readonly maintenance_until_ms: Map<string, number> }
  /** Who is asked on the share whether it is alone. */
  readonly pills: Map<string, PillRecord>
  /**
   * Since when this host has heard nobody while others renew, how many do, since when no neighbour answers a ping either (Infinity while one does), whether it was asked since,
   * how often in a row the gateway did not answer, and when it last did.
   */
  alone: { readonly since_ms: number; unheard: number; unreached_ms: number; asked: boolean; gateway_asked_ms: number; gateway_missed: number; gateway_heard_ms: number } | undefined
  /** This host was told to leave. */
  leaving: { readonly why: Leaving; readonly since_ms: number } | undefined
}

export function newHostFacts(name: string, now_ms: number): HostFacts {
  return {
    name, lease: undefined, lease_since_ms: now_ms, older: undefined, newest_read_ms: now_ms, lease_grew_ms: -Infinity, generation_since_ms: now_ms, missing: false, lease_silent_ms: 0, reachable: false, condition: undefined,
    condition_ms: -Infinity, promised_until_ms: -Infinity,
  }
}

export function newFunctionFacts(name: string, now_ms: number): FunctionFacts {
  return {
    name, claim: undefined, release: undefined, since_ms: now_ms, failed_starts: 0, failed_ms: -Infinity, given_up_epoch: 0, claiming: undefined, releasing_ms: -Infinity, release_again_ms: -Infinity, overload_restarts: 0, return_wanted: false,
    returning_ms: -Infinity, came_home_ms: [], flapping_told: 0,
  }
}

/** What the state keeps of an inventory, looked up in each step. */
export function ringOf(inventory: Inventory): Pick<State, 'inventory' | 'order' | 'servers' | 'by_priority' | 'without_agent' | 'roles'> {
  const { servers } = inventory
  return {
    inventory, order: servers.map(server => server.name), servers: new Map(servers.map(server => [server.name, server])),
    by_priority: [...servers].sort((a, b) => a.priority - b.priority).map(server => server.name),
    without_agent: new Set(servers.filter(server => !server.agent).map(server => server.name)), roles: { seen: [], wanted: new Set() },
  }
}

export function initialState(self: string, inventory: Inventory, profile: Profile, wall_offset_ms: number, now_ms: number): State {
  const ring = ringOf(inventory)
  const { order } = ring
  return {
    self, wall_offset_ms, ...ring, profile, program: undefined, started_ms: now_ms, was_whole: false,
    own: { generation: 0, sequence: 0, deadline_ms: 0 },
    health: { score: 0, reason: '' }, renewals: { late: undefined, slow: [] }, clock_offset_ms: undefined, guard_silent: false, unwritten: 0, standby: new Map(), alerts: { next_ms: -Infinity, standing: new Map() },
    share: { good: false, last_started_ms: -Infinity, last_returned_ms: -Infinity, outstanding_ms: undefined, look: true },
    hosts: new Map(order.map(name => [name, newHostFacts(name, now_ms)])),
    functions: new Map(order.map(name => [name, newFunctionFacts(name, now_ms)])),
    appliances: new Map(),
    giving: new Map(), watches: new Map(), rehoming: new Map(), power: new Map(), incidents: new Map(), standing_by: new Map(),
    round: { number: 0, next_ms: now_ms, surveyed: false, survey_ms: -Infinity },
    load: undefined,
    promise: { request: 0, sent_ms: -Infinity, requests: [], answered_ms: new Map(), ride_until_ms: -Infinity, unkept_since_ms: Infinity },
    consents: new Map(), electorate_told_ms: -Infinity,
    virtual_services: new Map(), probe_requests: new Map(), counter: 0, condition_sequence: 0, condition_due: false, orders: { hold_until_ms: undefined, maintenance_until_ms: new Map() }, pills: new Map(), alone: undefined, leaving: undefined,
  }
}
