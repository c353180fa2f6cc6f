/** A swarm plan kept as a scenario: `ringward replay --write` makes the file, test/scenarios plays it and compares its log. */
import { logLine } from './log-line.ts'
import { parseRange } from './plan.ts'
import { SAMPLE_MS, sampleCuts } from './sample-cuts.ts'
import { sampleInventory } from './sample-inventory.ts'
import type { Scenario, ScenarioResult } from './scenario.ts'
import { runSwarm, START_MS } from './schedule.ts'
import { LATER_KINDS, SWARM_KINDS, type SwarmFault, type SwarmPlan } from './swarm.ts'
import type { World } from './world.ts'

const KINDS = [...SWARM_KINDS, ...LATER_KINDS]

/** What the file holds. */
export function planFile(title: string, plan: SwarmPlan): string {
  return `${JSON.stringify({ title, plan }, null, 2)}\n`
}

/** The error names the first thing that is not a plan. */
export function parsePlan(title: string, value: unknown): Scenario & { readonly plan: SwarmPlan } {
  const plan = value as SwarmPlan
  const wrong = (what: string): never => { throw new Error(`not a plan: ${what}`) }
  if (typeof plan !== 'object' || plan === null) return wrong('it is no object')
  for (const field of ['seed', 'hosts', 'free_kb'] as const) if (!Number.isFinite(plan[field])) wrong(`"${field}" is no number`)
  if (!parseRange(String(plan.hosts)) || plan.hosts < 2) wrong('"hosts" are fewer than 2')
  if (!Array.isArray(plan.faults) || plan.faults.length === 0) return wrong('"faults" is no list, or empty')
  const names = sampleInventory(plan.hosts).servers.map(server => server.name)
  for (const { number, after_ms, duration_ms, fault, target } of plan.faults as readonly SwarmFault[]) {
    if (![number, after_ms, duration_ms].every(Number.isFinite)) wrong('a fault lacks "number", "after_ms" or "duration_ms"')
    if (!KINDS.includes(fault)) wrong(`"${fault}" is no fault; known: ${KINDS.join(', ')}`)
    if (!names.includes(target)) wrong(`there is no host "${target}"`)
  }
  return { title, hosts: plan.hosts, seed: plan.seed, steps: [], until_ms: 0, plan }
}

/** Until the layout is policy, or the time for that is up. */
export function runPlanned(plan: SwarmPlan): ScenarioResult {
  const log: string[] = []
  const cuts_ms = new Map<string, number>()
  let world: World | undefined
  const { violations, deviations } = runSwarm(plan, {
    onWorld: made => {
      world = made
      made.queue.at(START_MS, () => keepSampling(made, new Map(), cuts_ms))
    },
    onLog: (at_ms, host, text) => log.push(logLine(at_ms, host, text)),
  })
  return { log, violations, deviations, claims: world!.share.claims, incidents: world!.incidents, cuts_ms }
}

function keepSampling(world: World, current_ms: Map<string, number>, longest_ms: Map<string, number>): void {
  sampleCuts(world, current_ms, longest_ms)
  world.queue.after(SAMPLE_MS, () => keepSampling(world, current_ms, longest_ms))
}
