/**
 * How far this host's own senses can be trusted (Lifeguard, protocol 5). What a starved watcher hears late it takes for silence, so its limits
 * stretch and it accuses nobody. What does not depend on its own speed counts as ever: leases, releases, a refused connection, a controller's word.
 */
import type { Context } from './context.ts'
import type { Event } from './event.ts'
import type { State, Watch } from './state.ts'

/** 0: everything in time. Each bad sign adds one, each quiet second takes one away. */
export interface LocalHealth {
  score: number
  /** The last bad sign, for the log. */
  reason: string
}

/** Limits stretch to nine times at most, as in Lifeguard (memberlist, `AwarenessMaxMultiplier` 8): after a long stall it takes 8 s to be trusted again. */
const WORST_SCORE = 8
/** The shortest limit of any probe (a quick ping): a shorter hold-up cannot turn an answer into silence. */
const STALL_MS = 250

export function noteHealth(context: Context, { stalled_ms, own_probes_missed, wall_offset_ms, unwritten = 0 }: Extract<Event, { event: 'health' }>): void {
  const { health } = context.state
  context.state.clock_offset_ms = wall_offset_ms
  context.state.unwritten = unwritten
  if (stalled_ms >= STALL_MS) worsen(context, `it was held up for ${Math.round(stalled_ms)} ms`)
  else if (own_probes_missed > 0) worsen(context, 'it did not hear a ping of its own in time')
  else if (health.score > 0) health.score -= 1
}

/** A renewal is due every r: one that takes longer is on the edge of what the lease allows. */
export function noteRenewal(context: Context, took_ms: number): void {
  if (took_ms > context.state.profile.renew_ms) worsen(context, `its lease took ${Math.round(took_ms)} ms to renew`)
}

function worsen({ state: { health } }: Context, reason: string): void {
  health.score = Math.min(WORST_SCORE, health.score + 1)
  health.reason = reason
}

export function isSlow(state: State): boolean {
  return state.health.score > 0
}

/** A limit for what others answer, as long as this host's own state makes it. */
export function stretched(state: State, limit: number): number {
  return limit * (state.health.score + 1)
}

/** Says once for each standing trouble that nothing follows from it, because the fault may be our own. */
export function withhold(context: Context, watch: Watch, what: string): void {
  const text = `${what}, and this host is slow itself: nobody is accused from here`
  if (watch.noted === text) return
  watch.noted = text
  context.because(`${text} (${context.state.health.reason})`, { level: 'warning', incident: watch.incident })
}
