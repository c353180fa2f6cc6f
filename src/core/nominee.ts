/** The nominated host's side: accept when there is room, and never twice for the same thing. */
import type { FunctionKind } from './records.ts'
import type { Context } from './context.ts'
import { functionOf } from './context.ts'
import { beginGiving, handOver, reportProgress } from './giving.ts'
import { leavingReason } from './orders.ts'
import { hasRoomHere, STARTS_LIMIT, startsOn } from './placement.ts'
import { ownLeaseGood } from './presence.ts'

interface Nomination {
  readonly incident: string
  readonly function: string
  readonly epoch: number
  readonly as: FunctionKind
  readonly hand_over?: boolean
}

function refusal(context: Context, nomination: Nomination): string | undefined {
  const { state, now_ms } = context
  const { claim } = functionOf(state, nomination.function)
  if (!ownLeaseGood(state, now_ms)) return 'its own lease is not good'
  const leaving = leavingReason(state, state.self)
  if (leaving !== undefined) return `it leaves (${leaving})`
  if (claim && claim.epoch > nomination.epoch) return `epoch ${claim.epoch} stands already`
  if (nomination.as === 'native' && nomination.function !== state.self) return 'it is not its own function'
  if (state.giving.has(nomination.function)) return 'it gives or ends that function already'
  if (nomination.as === 'virtual' && !hasRoomHere(state, nomination.function)) return 'no room'
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
  const starts = [...startsOn(state, state.self)].filter(name => name !== nomination.function).length
  if (nomination.as === 'virtual' && starts >= STARTS_LIMIT) {
    context.because(`Nomination_for_${nomination.function}_by_${from}_has_to_wait: ${starts} starts are under way`, { incident: nomination.incident })
    return context.send(from, { kind: 'progress', incident: nomination.incident, function: nomination.function, epoch: nomination.epoch, stage: 'busy', detail: `${starts} starts are under way` })
  }
  const why = refusal(context, nomination)
  if (why !== undefined) {
    context.because(`Nomination_for_${nomination.function}_by_${from}_is_declined: ${why}`, { incident: nomination.incident })
    context.send(from, { kind: 'progress', incident: nomination.incident, function: nomination.function, epoch: nomination.epoch, stage: 'declined', detail: why })
    return
  }
  context.because(`Nominated_by_${from}_for_${nomination.function}_(${nomination.as}): resume while proof is awaited`, { incident: nomination.incident })
  state.share.look = true
  // A native holder runs no virtual server of that name: this one may run ahead, cut off, and has only to speak when its turn comes (S2).
  const warm = nomination.hand_over === true && functionOf(state, nomination.function).claim?.kind === 'native'
  const giving = beginGiving(context, nomination.function, nomination.as, { incident: nomination.incident, nominator: from, warm })
  giving.epoch = nomination.epoch
  reportProgress(context, giving, giving.stage, 'accepted')
}

/** The manager of a target that is back asks us to hand its function over. */
export function noteReturn(context: Context, name: string, epoch: number, to: string, generation: number): void {
  const giving = context.state.giving.get(name)
  if (!giving || giving.epoch !== epoch || to !== name || !context.state.order.includes(to)) return
  handOver(context, giving, to, generation, `${to} is back (generation ${generation})`)
}
