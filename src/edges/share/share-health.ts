/** How the shared area behaves, for status and metrics. */
export interface ShareState {
  readonly state: 'good' | 'slow' | 'unreachable'
  /** Duration of the last answered request, or the age of the oldest unanswered one when that is longer. */
  readonly latency_ms: number
}

/** A third of the default renewal's room (2 s): slower answers will soon cost the lease. */
const SLOW_MS = 600
/** The default profile's D_stop: a host without an answer for so long has lost its lease. */
const UNREACHABLE_MS = 2_000
/** File-system errors in a row after which the share counts as unreachable; one may be a single bad file. */
const ERRORS_LIMIT = 3

/** Judges the share by its answers and its silence; tells changes of state only. */
export class ShareHealth {
  state: ShareState = { state: 'good', latency_ms: 0 }
  private errors = 0
  private readonly onState: (state: ShareState) => void

  constructor(onState: (state: ShareState) => void) {
    this.onState = onState
  }

  answered(latency_ms: number, failed: boolean): void {
    this.errors = failed ? this.errors + 1 : 0
    this.become(this.errors >= ERRORS_LIMIT ? 'unreachable' : latency_ms >= SLOW_MS ? 'slow' : 'good', latency_ms)
  }

  /** `silent_ms`: for how long something has waited without any answer; 0 when nothing waits. */
  unanswered(silent_ms: number): void {
    if (silent_ms >= UNREACHABLE_MS) this.become('unreachable', silent_ms)
    else if (silent_ms >= SLOW_MS && this.state.state === 'good') this.become('slow', silent_ms)
  }

  private become(state: ShareState['state'], latency_ms: number): void {
    const changed = state !== this.state.state
    this.state = { state, latency_ms: Math.round(latency_ms) }
    if (changed) this.onState(this.state)
  }
}
