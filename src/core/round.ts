/** The round (thesis 5.3.2, 5.3.3): all probe at the same moment, called by the first of the ring; the survey lies between two rounds. */
import { applianceReports, isAgentless } from './appliance.ts'
import { decideAlerts } from './alerts.ts'
import type { Context } from './context.ts'
import { hostOf } from './context.ts'
import type { ConditionMessage } from './message.ts'
import { forecast, type HostCapacity, type LoadAverage } from './non-select.ts'
import { isPresent } from './presence.ts'
import type { State } from './state.ts'
import { probeVirtualServices } from './virtual-service.ts'

/** A receiver of S shifts its phase by at most this share of the interval per round: a wild sender cannot bunch probes. */
const PHASE_SHIFT = 0.1
/** A probe whose edge has not answered for this long is asked again. */
const PROBE_LIMIT_MS = 15_000

export function decideRound(context: Context): void {
  const { state, now_ms } = context
  const { round } = state
  const interval_ms = state.inventory.interval_ms
  if (!round.surveyed && context.due(round.next_ms - interval_ms / 2)) {
    round.surveyed = true
    context.do({ command: 'survey' })
  }
  if (context.due(round.next_ms)) {
    round.number += 1
    round.surveyed = false
    round.next_ms = Math.max(round.next_ms + interval_ms, now_ms + interval_ms / 2)
    context.due(round.next_ms - interval_ms / 2)
    if (state.order.find(host => isPresent(state, host)) === state.self) context.do({ command: 'publish', message: { kind: 'S', round: round.number } })
    probeTargets(context)
    state.condition_due = true
    decideAlerts(context)
  }
  if (state.condition_due) publishCondition(context)
}

function probeTargets(context: Context): void {
  for (const watch of context.state.watches.values()) {
    const { service } = watch
    if (watch.mode === 'service recovery') continue
    if (service.probing_since_ms !== undefined && context.now_ms - service.probing_since_ms < PROBE_LIMIT_MS) continue
    // Without a lease the dialogues are evidence as good as a ping.
    if (!isAgentless(context.state, watch.target) && !isPresent(context.state, watch.target) && watch.ping_missed > 0) {
      service.good_rounds = 0
      continue
    }
    service.probing_since_ms = context.now_ms
    context.do({ command: 'probe', target: watch.target, where: 'own address' })
  }
  probeVirtualServices(context)
}

function publishCondition(context: Context): void {
  const { state } = context
  state.condition_due = false
  state.condition_sequence += 1
  const message = conditionOf(state, context.now_ms)
  hostOf(state, state.self).condition = message
  hostOf(state, state.self).condition_ms = context.now_ms
  context.do({ command: 'publish', message })
}

export function conditionOf(state: State, now_ms: number): ConditionMessage {
  const agentless = applianceReports(state)
  return {
    kind: 'condition', generation: state.own.generation, sequence: state.condition_sequence, version: state.inventory.version,
    ...(state.program ? { program: state.program } : {}),
    ...(state.clock_offset_ms === undefined ? {} : { wall_ms: Math.round(now_ms + state.clock_offset_ms) }),
    ...(state.load ? { load: state.load } : {}),
    giving: [...state.giving.values()].map(({ function: name, epoch, kind, stage }) => ({ function: name, epoch, kind, stage })),
    watches: [...state.watches.values()].map(({ target, priority, mode }) => ({ target, priority, mode })),
    ...(state.leaving ? { leaving: state.leaving.why } : {}),
    ...(agentless.length > 0 ? { agentless } : {}),
  }
}

export function noteCondition(context: Context, from: string, message: ConditionMessage): void {
  const host = hostOf(context.state, from)
  const known = host.condition
  const older = known !== undefined && (message.generation < known.generation || (message.generation === known.generation && message.sequence <= known.sequence))
  // A restarted agent keeps its generation and counts its messages from one again.
  if (older && context.now_ms - host.condition_ms < 2 * context.state.inventory.interval_ms) return
  host.condition = message
  host.condition_ms = context.now_ms
}

export function noteSync(context: Context, from: string): void {
  const { state, now_ms } = context
  const interval_ms = state.inventory.interval_ms
  if (state.order.find(host => isPresent(state, host)) !== from) return
  const ahead_ms = (((state.round.next_ms - now_ms) % interval_ms) + interval_ms) % interval_ms
  const off_ms = ahead_ms > interval_ms / 2 ? ahead_ms - interval_ms : ahead_ms
  state.round.next_ms -= Math.max(-interval_ms * PHASE_SHIFT, Math.min(interval_ms * PHASE_SHIFT, off_ms))
}

/** Two averages in succession make the forecast (formulas 5.1–5.3). */
export function noteSurvey(context: Context, average: LoadAverage, capacity: HostCapacity): void {
  const { state } = context
  state.round.survey_ms = context.now_ms
  state.load = { average, forecast: forecast(average, state.load?.average ?? average, capacity), capacity }
}
