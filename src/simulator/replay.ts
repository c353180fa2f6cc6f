/** One swarm schedule again: its plan, one line for each change, and what came of it. */
import { ChangeLog } from './change-log.ts'
import { runSwarm, type ScheduleResult } from './schedule.ts'
import { shrink } from './shrink.ts'
import { describeFault, type SwarmPlan } from './swarm.ts'

export interface ReplayDocument {
  readonly schema: 'ringward.replay/1'
  readonly ok: boolean
  /** As it was played; shrunk when that was asked for and something was broken. */
  readonly plan: SwarmPlan
  readonly faults: readonly string[]
  readonly violations: ScheduleResult['violations']
  readonly deviations: readonly string[]
  readonly shrunk?: { readonly rule: string; readonly runs: number; readonly from_faults: number }
}

export interface ReplayWishes {
  readonly shrink: boolean
  /** Every reason beside every change. */
  readonly reasons: boolean
}

export function replay(drawn: SwarmPlan, wished: ReplayWishes, tell: (line: string) => void): ReplayDocument {
  const shrunk = wished.shrink ? shrink(drawn) : undefined
  const plan = shrunk?.plan ?? drawn
  let log: ChangeLog | undefined
  const { violations, deviations } = runSwarm(plan, {
    onWorld: world => { log = new ChangeLog(world, tell) },
    onLog: (_at_ms, host, text) => { if (wished.reasons || host === '-') log?.say(host, text) },
  })
  return {
    schema: 'ringward.replay/1', ok: violations.length + deviations.length === 0, plan, faults: plan.faults.map(describeFault), violations, deviations,
    ...shrunk ? { shrunk: { rule: shrunk.rule, runs: shrunk.runs, from_faults: drawn.faults.length } } : {},
  }
}

/** For people. */
export function describeReplay({ plan, faults, violations, deviations, shrunk }: ReplayDocument): string {
  return [
    `seed ${plan.seed}, ${plan.hosts} hosts, ${Math.round(plan.free_kb / 1_024)} MB each for virtual servers:`, ...faults.map(fault => `  ${fault}`),
    ...shrunk ? [`shrunk from ${shrunk.from_faults} faults in ${shrunk.runs} runs, breaks ${shrunk.rule}; as a test keeps it: ${JSON.stringify(plan)}`] : [],
    ...violations.map(({ rule, at_ms, text }) => `  ${rule} at ${at_ms} ms: ${text}`), ...deviations.map(text => `  L3, not policy: ${text}`),
    violations.length + deviations.length === 0 ? 'no violation of S1-S7, L1, L2; policy again at the end (L3)' : `${violations.length} violations, ${deviations.length} deviations from policy`,
  ].join('\n')
}
