/** Changing the mode of a watch, and what P1 tells P2 about it (thesis 5.3). */
import type { Context } from './context.ts'
import { isPresent } from './presence.ts'
import { p2Of } from './ring.ts'
import type { Mode, Watch } from './state.ts'

export function enterMode(context: Context, watch: Watch, mode: Mode, why: string): void {
  if (watch.mode === mode) return
  context.because(`${watch.target}: ${watch.mode} => ${mode}: ${why}`, { incident: watch.incident })
  watch.mode = mode
  watch.mode_since_ms = context.now_ms
  watch.examination = undefined
  watch.repair = undefined
  watch.noted = ''
  context.state.condition_due = true
}

export function tellP2(context: Context, watch: { target: string; incident: string | undefined }, kind: 'R' | 'U' | 'D'): void {
  const { state } = context
  const second = p2Of(state.order, watch.target, host => isPresent(state, host))
  if (second === undefined || second === state.self) return
  context.because(`Send_${kind}_(${watch.target})_to_${second}`, { incident: watch.incident })
  context.send(second, { kind, target: watch.target, incident: watch.incident ?? '' })
}
