/** Network examination (protocol 5): quick probes of our own, and indirect ones by others. */
import type { Context } from './context.ts'
import { hostOf } from './context.ts'
import { isSlow } from './local-health.ts'
import { notePathGood } from './path.ts'
import { noteLookedElsewhere } from './pill.ts'
import { isPresent } from './presence.ts'
import { p2Of } from './ring.ts'
import type { Watch } from './state.ts'

/** Asked besides the target's other manager: three packets buy eight orders of magnitude against false alarms. */
const INDIRECT_PROBES = 4
/** Three quick pings 100 ms apart and their answers; others are asked meanwhile (protocol 5). */
export const EXAMINATION_MS = 400
/** An edge that has not answered by then is asked again. */
export const EXAMINATION_LIMIT_MS = 2_000

export function examine(context: Context, watch: Watch): void {
  const { state } = context
  const request = (state.counter += 1)
  watch.examination = { started_ms: context.now_ms, direct: undefined, indirect: false, request }
  context.do({ command: 'examine', target: watch.target })
  const other = p2Of(state.order, watch.target, host => isPresent(state, host))
  const around = state.order.map((_, index) => state.order[(index + request) % state.order.length]!)
  const asked = [other, ...around].filter((host, index, all): host is string =>
    host !== undefined && host !== watch.target && host !== state.self && hostOf(state, host).reachable && all.indexOf(host) === index).slice(0, INDIRECT_PROBES)
  for (const host of asked) context.send(host, { kind: 'probe-request', request, target: watch.target })
}

export function noteExamined(context: Context, target: string, answered: boolean): void {
  const watch = context.state.watches.get(target)
  if (watch?.examination) watch.examination.direct = answered
  if (watch && answered) notePathGood(context, watch, watch.ping_missed)
  answerProbeRequests(context, target, answered)
}

/** Others' requests are answered by the same examination. That a slow host heard nothing is no news to anybody. */
function answerProbeRequests(context: Context, target: string, answered: boolean): void {
  const { probe_requests } = context.state
  if (answered || !isSlow(context.state)) for (const { from, request } of probe_requests.get(target) ?? []) context.send(from, { kind: 'probe-answer', request, target, answered })
  probe_requests.delete(target)
}

/** At most this many hosts wait for one examination of ours. */
const PROBE_REQUESTS_LIMIT = 16

export function noteProbeRequest(context: Context, from: string, request: number, target: string): void {
  const { state } = context
  if (!state.order.includes(target) || target === state.self) return
  const waiting = state.probe_requests.get(target) ?? []
  if (waiting.length >= PROBE_REQUESTS_LIMIT) return
  if (waiting.length === 0) context.do({ command: 'examine', target })
  state.probe_requests.set(target, [...waiting, { from, request }])
}

export function noteProbeAnswer(context: Context, request: number, target: string, answered: boolean): void {
  noteLookedElsewhere(context, target, answered)
  const examination = context.state.watches.get(target)?.examination
  if (examination?.request === request && answered) examination.indirect = true
}
