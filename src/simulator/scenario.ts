/** A scripted run of the simulated ring: what happens at which moment, and everything that was logged, claimed and cut. */
import { RIDE_POLICIES, type RidePolicy } from '../core/inventory.ts'
import type { ClaimRecord } from '../core/records.ts'
import type { IncidentEntry } from '../core/command.ts'
import type { Violation } from './checker.ts'
import { MENU, strike, type MenuFault } from './fault-menu.ts'
import { logLine } from './log-line.ts'
import { between, type Direction } from './network-faults.ts'
import { parsePlan, runPlanned } from './plan-scenario.ts'
import { RandomStream } from './prng.ts'
import { SAMPLE_MS, sampleCuts } from './sample-cuts.ts'
import { sampleInventory, withPower } from './sample-inventory.ts'
import { leave } from './simulated-leave.ts'
import { forgetHost, joinHost } from './simulated-membership.ts'
import type { SwarmPlan } from './swarm.ts'
import { World } from './world.ts'

const PLAIN_ACTS = [
  'power-off', 'power-on', 'no-wake', 'reboot', 'stop-daemon', 'break-daemon', 'kill-agent', 'kill-guard', 'share-hang', 'share-heal', 'isolate', 'reconnect', 'cut-from-hosts', 'heal-from-hosts', 'fail-starts', 'heal-starts', 'cut-hand', 'heal-hand', 'mute-virtual-server',
  'confirm-dead', 'overload', 'relieve', 'shut-down', 'reboot-announced', 'maintenance-on', 'maintenance-off', 'hold-on', 'hold-off', 'flag-off', 'flag-on', 'join', 'forget',
] as const
type PlainAct = (typeof PLAIN_ACTS)[number]
export type Act = PlainAct | MenuFault
export const ACTS: readonly Act[] = [...PLAIN_ACTS, ...Object.keys(MENU) as MenuFault[]]

const isOfMenu = (act: Act): act is MenuFault => Object.hasOwn(MENU, act)

export interface ScenarioStep {
  readonly at_ms: number
  readonly do: Act
  /** Absent: all hosts. */
  readonly host?: string
  /** How long a fault of the menu lasts. */
  readonly for_ms?: number
}

export interface Scenario {
  readonly title: string
  /** How many of the sample ring's servers, in ring order: mail, login, ftp, proxy, web1, web2. */
  readonly hosts: number
  /** Instead of those names. */
  readonly names?: readonly string[]
  readonly seed: number
  /** Hosts with a power controller; none unless named. */
  readonly power?: readonly string[]
  /** Servers without an agent, and whether their power can be switched by a command. */
  readonly agentless?: readonly string[]
  readonly power_command?: boolean
  /** The ring has a gateway, which every host reaches that is not isolated. */
  readonly gateway?: boolean
  /** Whose promises carry a ride; absent: those of all. */
  readonly ride?: RidePolicy
  readonly steps: readonly ScenarioStep[]
  readonly until_ms: number
  /** Instead of steps: a swarm schedule, with its own hosts and seed. */
  readonly plan?: SwarmPlan
}

export interface ScenarioResult {
  /** One line for each reason and act, with its virtual time. */
  readonly log: readonly string[]
  readonly violations: readonly Violation[]
  readonly deviations: readonly string[]
  /** Every claim ever made, by function, in order of epoch. */
  readonly claims: ReadonlyMap<string, readonly ClaimRecord[]>
  readonly incidents: readonly { readonly host: string; readonly entry: IncidentEntry }[]
  /** Longest time each function was not served, from the first step on. */
  readonly cuts_ms: ReadonlyMap<string, number>
}

/** Times of the power buttons at the start lie within this. */
const POWER_ON_MS = 1_500

/** What a file holds as a scenario; the error names the first thing that is not one. */
export function parseScenario(value: unknown): Scenario {
  const scenario = value as Scenario
  const wrong = (what: string): never => { throw new Error(`not a scenario: ${what}`) }
  if (typeof scenario !== 'object' || scenario === null) return wrong('it is no object')
  if (typeof scenario.title !== 'string') wrong('"title" is missing')
  if (scenario.plan !== undefined) return parsePlan(scenario.title, scenario.plan)
  for (const field of ['hosts', 'seed', 'until_ms'] as const) if (!Number.isInteger(scenario[field])) wrong(`"${field}" is not a whole number`)
  if (!Array.isArray(scenario.steps)) wrong('"steps" is no list')
  if (scenario.names !== undefined && (!Array.isArray(scenario.names) || scenario.names.length !== scenario.hosts)) wrong('"names" are not as many as "hosts"')
  if (scenario.ride !== undefined && !RIDE_POLICIES.includes(scenario.ride)) wrong(`"ride" is none of ${RIDE_POLICIES.join(', ')}`)
  const joining = new Set(scenario.steps.map(step => step.do === 'join' ? step.host : undefined))
  const ring = sampleInventory(scenario.hosts, scenario).servers.map(server => server.name)
  const names = [...ring, ...sampleInventory(12).servers.map(server => server.name).filter(name => joining.has(name) && !ring.includes(name))]
  for (const name of scenario.power ?? []) if (!names.includes(name)) wrong(`there is no host "${name}"`)
  for (const name of scenario.agentless ?? []) if (!names.includes(name)) wrong(`there is no host "${name}"`)
  for (const { at_ms, do: act, host, for_ms } of scenario.steps) {
    if (!Number.isInteger(at_ms)) wrong('a step has no "at_ms"')
    if (!ACTS.includes(act)) wrong(`"${act}" cannot be done; known: ${ACTS.join(', ')}`)
    if (isOfMenu(act) && (host === undefined || !Number.isInteger(for_ms))) wrong(`"${act}" needs a "host" and how long it lasts, "for_ms"`)
    if (host === undefined && (act === 'join' || act === 'forget')) wrong(`"${act}" needs a "host"`)
    if (host !== undefined && !names.includes(host)) wrong(`there is no host "${host}"`)
  }
  return scenario
}

export function runScenario(scenario: Scenario): ScenarioResult {
  if (scenario.plan) return runPlanned(scenario.plan)
  const world = new World(withPower(sampleInventory(scenario.hosts, scenario), scenario.power ?? []), scenario.seed, scenario.ride === undefined ? {} : { ride: scenario.ride })
  const log: string[] = []
  world.onLog = (host, text) => log.push(logLine(world.queue.now_ms, host, text))
  const random = new RandomStream(scenario.seed, 'scenario')
  for (const name of world.names) world.queue.after(random.between(0, POWER_ON_MS), () => world.host(name).powerOn())
  for (const step of scenario.steps) world.queue.at(step.at_ms, () => act(world, step, random))
  const cuts_ms = measureCuts(world, scenario.steps[0]?.at_ms ?? 0, scenario.until_ms)
  return { log, violations: world.checker.violations, deviations: world.checker.deviations(), claims: world.share.claims, incidents: world.incidents, cuts_ms }
}

function measureCuts(world: World, from_ms: number, until_ms: number): Map<string, number> {
  const longest_ms = new Map(world.names.map(name => [name, 0]))
  const current_ms = new Map(longest_ms)
  world.queue.runUntil(from_ms)
  while (world.queue.now_ms < until_ms) {
    world.queue.runUntil(Math.min(until_ms, world.queue.now_ms + SAMPLE_MS))
    sampleCuts(world, current_ms, longest_ms)
  }
  return longest_ms
}

function act(world: World, step: ScenarioStep, random: RandomStream): void {
  world.note(`${step.do} ${step.host ?? 'all'}`)
  if (isOfMenu(step.do)) return void strike(world, step.do, step.host!, random, step.for_ms!)
  if (step.do === 'share-hang') return world.share.hang(step.host ?? '*')
  if (step.do === 'share-heal') return world.share.heal(step.host ?? '*')
  if (step.do === 'hold-on') return void world.share.orders.set('hold', Infinity)
  if (step.do === 'hold-off') return void world.share.orders.delete('hold')
  if (step.do === 'join') return void joinHost(world, random, step.host)
  if (step.do === 'forget') return forgetHost(world, step.host!, random)
  for (const name of step.host === undefined ? world.names : [step.host]) actOn(world, name, step.do)
}

const fromHosts = (world: World, name: string): Direction[] => between([[name], world.names.filter(other => other !== name)])

function actOn(world: World, name: string, what: Exclude<PlainAct, 'share-hang' | 'share-heal' | 'hold-on' | 'hold-off' | 'join' | 'forget'>): unknown {
  const host = world.host(name)
  switch (what) {
    case 'power-off': return host.powerOff()
    case 'power-on':
      host.wakeable = true
      return host.powerOn()
    case 'no-wake': return (host.wakeable = false)
    case 'reboot': return host.reboot()
    case 'stop-daemon': return host.breakService('stopped')
    case 'break-daemon': return host.breakService('broken until reboot')
    case 'kill-agent': return host.killAgent()
    case 'kill-guard': return host.killGuard()
    case 'isolate': return world.isolate(name)
    case 'reconnect': return world.reconnect(name)
    // Whoever is not of the ring reaches it still.
    case 'cut-from-hosts': return world.cut(fromHosts(world, name))
    case 'heal-from-hosts': return world.heal(fromHosts(world, name))
    // The operator says it on whatever host has an agent.
    case 'confirm-dead': return world.names.map(other => world.host(other)).find(other => other.core && other !== host)?.handle({ event: 'confirmed-dead', target: name })
    case 'overload': return (host.overloaded = true)
    case 'relieve': return (host.overloaded = false)
    case 'fail-starts': return world.failingStarts.add(name)
    case 'cut-hand': return world.handless.add(name)
    case 'heal-hand': return world.handless.delete(name)
    case 'heal-starts': return world.failingStarts.delete(name)
    case 'shut-down': return leave(host, 'shutdown', () => host.powerOff())
    case 'reboot-announced': return leave(host, 'reboot', () => host.reboot())
    case 'maintenance-on': return world.share.orders.set(name, Infinity)
    case 'maintenance-off': return world.share.orders.delete(name)
    case 'flag-off': return host.setFlag(false)
    case 'flag-on': return host.setFlag(true)
    case 'mute-virtual-server': return world.muteVirtualServer(name)
  }
}
