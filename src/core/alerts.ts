/** When lost protection is said, once, and when it is over (protection.ts says what is lost). */
import type { Context } from './context.ts'
import { isPresent, graceEnds_ms } from './presence.ts'
import { alertsOf, type Alert, type AlertCode } from './protection.ts'
import type { State } from './state.ts'

export interface StandingAlert {
  alert: Alert
  readonly since_ms: number
  seen_ms: number
  raised: boolean
  /** This host has said it. */
  told: boolean
}

/** A look at everything costs as much as a choice of a host. */
const LOOK_EVERY_MS = 1_000
/** It must have been away for so long before it is over: what comes and goes is one alert. */
const OVER_MS = 10_000

/**
 * It must have stood for so long. Watchers: two intervals are L2's, the third lets the news arrive. A publication is taken up within seconds, and a host that
 * fetches it late within a minute.
 */
const RAISED_AFTER_MS: Partial<Record<AlertCode, number>> = { NO_ROOM: 10_000, VERSION_SKEW: 60_000, CLOCK_OFF: 10_000, HOST_SLOW: 10_000 }
const WATCHERS_INTERVALS = 3
const WATCHERS_LEAST_MS = 5_000

/** What a host knows of itself it says itself; the rest is seen by all, and said by the first of the ring. */
const OWN: ReadonlySet<AlertCode> = new Set(['LEASE_LATE', 'SHARE_UNREACHABLE', 'SHARE_SLOW', 'STANDBY_STALE', 'HOST_SLOW', 'LOG_UNWRITTEN'])

export function decideAlerts(context: Context): void {
  const { state, now_ms } = context
  const { alerts } = state
  if (now_ms < alerts.next_ms || now_ms < graceEnds_ms(state)) return
  alerts.next_ms = now_ms + LOOK_EVERY_MS
  for (const alert of alertsOf(state, now_ms)) see(state, alert, now_ms)
  for (const [key, standing] of alerts.standing) {
    if (standing.seen_ms === now_ms) raise(context, standing)
    else if (!standing.raised || now_ms - standing.seen_ms >= OVER_MS) {
      alerts.standing.delete(key)
      if (standing.told) tell(context, standing, 'over')
    }
  }
}

export function raisedAlerts(state: State): StandingAlert[] {
  return [...state.alerts.standing.values()].filter(({ raised }) => raised)
}

function see(state: State, alert: Alert, now_ms: number): void {
  const key = `${alert.code} ${alert.subject}`
  const standing = state.alerts.standing.get(key)
  if (!standing) return void state.alerts.standing.set(key, { alert, since_ms: now_ms, seen_ms: now_ms, raised: false, told: false })
  standing.alert = alert
  standing.seen_ms = now_ms
}

function raise(context: Context, standing: StandingAlert): void {
  const { state, now_ms } = context
  const { code } = standing.alert
  const after_ms = code === 'TOO_FEW_WATCHERS' ? Math.max(WATCHERS_LEAST_MS, WATCHERS_INTERVALS * state.inventory.interval_ms) : RAISED_AFTER_MS[code] ?? 0
  standing.raised ||= now_ms - standing.since_ms >= after_ms
  const mine = OWN.has(code) || state.order.find(host => isPresent(state, host)) === state.self
  if (!standing.raised || standing.told || !mine) return
  standing.told = true
  tell(context, standing, 'raised')
}

function tell(context: Context, { alert, since_ms, seen_ms }: StandingAlert, state: 'raised' | 'over'): void {
  const { code, subject, reason, next_step } = alert
  if (state === 'raised') context.because(`Protection_is_lost_(${code}_${subject}): ${reason}; ${next_step}`, { level: 'alarm' })
  else context.because(`Protection_is_back_(${code}_${subject}): it was lost for ${Math.round((seen_ms - since_ms) / 1_000)} s`)
  context.do({ command: 'alert', alert, state, since_ms })
}
