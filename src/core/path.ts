/** The path to a target, as the pings tell: a service dialogue that began before it was good (again) says nothing about a daemon. */
import type { Context } from './context.ts'
import { stretched } from './local-health.ts'
import type { Watch } from './state.ts'

export function isPathBad(watch: Watch): boolean {
  return watch.path_good_ms === Infinity
}

/** A ping, or the pings of an examination, were answered; `missed`: how many had been lost before. */
export function notePathGood(context: Context, watch: Watch, missed: number): void {
  if (missed === 0 && !isPathBad(watch)) return
  watch.path_good_ms = context.now_ms
  forgetDialogues(watch)
  if (watch.service.probing_since_ms === undefined) return
  // What is still under way began too early: the next round asks anew, and a repair that waits for it does so now.
  watch.service.probing_since_ms = undefined
  if (watch.mode === 'service recovery' && watch.repair?.step === 'verify') watch.repair.deadline_ms = context.now_ms
}

/** By the same measure as a network examination: a slow host must miss more, and who was never seen is not lost. */
export function notePathBad(context: Context, watch: Watch, missed: number): void {
  if (!watch.ping_seen || missed < stretched(context.state, 1)) return
  watch.path_good_ms = Infinity
  forgetDialogues(watch)
}

/** A good answer stays good; a bad one may have been the network's. */
function forgetDialogues({ service }: Watch): void {
  if (service.verdict !== 'OK') service.verdict = undefined
}

/** Whether the answer to a dialogue that began then says anything about a daemon, and not only of the way to it. */
export function tellsOfDaemon(watch: Watch, started_ms: number): boolean {
  const { probing_since_ms } = watch.service
  return started_ms >= watch.path_good_ms && (probing_since_ms === undefined || started_ms >= probing_since_ms)
}
