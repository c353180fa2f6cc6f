import type { Availability, Incident } from '../../control/documents.ts'

/** A month: long enough to mean something, short enough that every record of it is still kept. */
export const AVAILABILITY_WINDOW_MS = 30 * 24 * 60 * 60 * 1_000

/**
 * What taking over has gained (thesis 1.1, 1.2, 2.10): conventional T/(T+t), improved (T+Te)/(T+t), with t the time the target
 * itself was out of order, Te the part of it in which a virtual server gave the function, T the rest of the window.
 */
export function availabilityOf(incidents: readonly Incident[], now: Date, window_ms = AVAILABILITY_WINDOW_MS): Availability[] {
  const targets = new Map<string, { count: number; down_ms: number; gained_ms: number }>()
  for (const incident of incidents) {
    const age_ms = now.getTime() - Date.parse(incident.detected)
    if (!(age_ms >= 0 && age_ms <= window_ms) || incident.outcome === 'resumed') continue
    // What was passed on goes on in the incident of its successor, or ended with its record.
    const ended_ms = incident.successor?.after_ms ?? (incident.outcome === 'passed on' ? incident.stages.at(-1)?.after_ms : undefined)
    const down_ms = incident.target_ms ?? ended_ms ?? age_ms
    const gained_ms = incident.function_ms === null ? 0 : Math.max(0, down_ms - incident.function_ms)
    const sum = targets.get(incident.target) ?? { count: 0, down_ms: 0, gained_ms: 0 }
    targets.set(incident.target, { count: sum.count + 1, down_ms: sum.down_ms + down_ms, gained_ms: sum.gained_ms + gained_ms })
  }
  return [...targets].sort(([a], [b]) => a < b ? -1 : 1).map(([target, { count, down_ms, gained_ms }]) => {
    const up_ms = Math.max(0, window_ms - down_ms)
    const conventional = up_ms / (up_ms + down_ms)
    const improved = (up_ms + gained_ms) / (up_ms + down_ms)
    const improvement_percent = conventional === 0 ? 0 : (improved - conventional) / conventional * 100
    return { target, window_ms, incidents: count, conventional, improved, improvement_percent }
  })
}
