/** The nominated host's side: accept when there is room, and never twice for the same thing. */
import type { FunctionKind } from './records.ts'
import type { Context } from './context.ts'
import { functionOf, serverOf } from './context.ts'
import { beginGiving, handOver, reportProgress } from './giving.ts'
import { ownLeaseGood } from './presence.ts'

/** More at a time make each other slower than one after the other (protocol 5.4). */
const STARTS_LIMIT = 2

interface Nomination {
  readonly incident: string
  readonly function: string
  readonly epoch: number
  readonly as: FunctionKind
}

function refusal(context: Context, nomination: Nomination): string | undefined {
  const { state, now_ms } = context
  const { claim } = functionOf(state, nomination.function)
  if (!ownLeaseGood(state, now_ms)) return 'its own lease is not good'
  if (claim && claim.epoch > nomination.epoch) return `epoch ${claim.epoch} stands already`
  if (nomination.as === 'native' && nomination.function !== state.self) return 'it is not its own function'
  if (state.giving.has(nomination.function)) return 'it gives or ends that function already'
  const starts = [...state.giving.values()].filter(giving => giving.kind === 'virtual' && (giving.stage === 'preparing' || giving.stage === 'starting')).length
  if (nomination.as === 'virtual' && starts >= STARTS_LIMIT) return `${starts} starts are under way`
  const needed_kb = serverOf(state, nomination.function).virtual_server.memory_mb * 1024
  if (nomination.as === 'virtual' && state.load && state.load.forecast.memory_kb < needed_kb) return 'no room'
  return undefined
}

export function noteNomination(context: Context, from: string, nomination: Nomination): void {
  const { state } = context
  if (!state.order.includes(nomination.function)) return
  const current = state.giving.get(nomination.function)
  if (current && current.epoch === nomination.epoch && (current.stage === 'preparing' || current.stage === 'prepared')) {
    current.nominator = from
    current.incident = nomination.incident
    current.heard_ms = context.now_ms
    return reportProgress(context, current, current.stage, 'nominated before')
  }
  const why = refusal(context, nomination)
  if (why !== undefined) {
    context.because(`Nomination_for_${nomination.function}_by_${from}_is_declined: ${why}`, { incident: nomination.incident })
    context.send(from, { kind: 'progress', incident: nomination.incident, function: nomination.function, epoch: nomination.epoch, stage: 'declined', detail: why })
    return
  }
  context.because(`Nominated_by_${from}_for_${nomination.function}_(${nomination.as}): resume while proof is awaited`, { incident: nomination.incident })
  state.share.look = true
  const giving = beginGiving(context, nomination.function, nomination.as, { incident: nomination.incident, nominator: from })
  giving.epoch = nomination.epoch
  reportProgress(context, giving, giving.stage, 'accepted')
}

/** The manager of a target that is back asks us to hand its function over. */
export function noteReturn(context: Context, name: string, epoch: number, to: string, generation: number, incident: string): void {
  const giving = context.state.giving.get(name)
  if (!giving || giving.epoch !== epoch || to !== name || !context.state.order.includes(to)) return
  handOver(context, giving, to, generation, incident)
}
