import { UNITS_MS } from '../configuration/values.ts'
import { RingwardError } from '../errors.ts'

/**
 * The moment of `--since`: a duration back from now (`90s`, `10m`, `2h`, `3d`), a time of this day or date and time in UTC
 * (`21:03`, `21:03:48`, `2026-11-20`, `2026-11-20T21:03:48Z`). Throws USAGE.
 */
export function parseSince(text: string, now: Date): string {
  const back = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(text)
  if (back) return stamp(now.getTime() - Number(back[1]) * (UNITS_MS[back[2] ?? ''] ?? 0), text)
  if (/^\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)) return stamp(Date.parse(`${now.toISOString().slice(0, 10)}T${text}Z`), text)
  const date_time = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (date_time) return stamp(Date.parse(`${date_time[1]}T${date_time[2] ?? '00:00'}${date_time[3] ?? 'Z'}`), text)
  throw unreadable(text)
}

function stamp(time_ms: number, text: string): string {
  const date = new Date(time_ms)
  // Years beyond 9999 and before 0 are written with a sign, which log stamps never have.
  if (Number.isNaN(time_ms) || Number.isNaN(date.getTime()) || !/^\d{4}-/.test(date.toISOString())) throw unreadable(text)
  return date.toISOString()
}

function unreadable(text: string): RingwardError {
  return new RingwardError('USAGE', `"${text}" is no time; write a duration back from now (10m, 2h) or a time in UTC (21:03, 2026-11-20T21:03:48Z)`)
}
