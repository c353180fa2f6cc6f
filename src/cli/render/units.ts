const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const ROOM_UNITS = ['KB', 'MB', 'GB', 'TB']

/** A duration in two units at most: `0.3 s`, `12 s`, `3 m 5 s`, `2 h 4 m`, `4 d 2 h`; `-` when it is not known. */
export function duration(duration_ms: number | null | undefined): string {
  if (duration_ms === null || duration_ms === undefined || !Number.isFinite(duration_ms)) return '-'
  const ms = Math.max(0, duration_ms)
  if (ms < 9_950) return `${(ms / SECOND_MS).toFixed(1)} s`
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`
  if (ms < HOUR_MS) return two(ms, MINUTE_MS, 'm', SECOND_MS, 's')
  if (ms < DAY_MS) return two(ms, HOUR_MS, 'h', MINUTE_MS, 'm')
  return two(ms, DAY_MS, 'd', HOUR_MS, 'h')
}

/** Seconds as the thesis's tables show them, with two digits; `-` when it is not known. */
export function seconds(duration_ms: number | null): string {
  return duration_ms === null ? '-' : (duration_ms / SECOND_MS).toFixed(2)
}

/** How long before `at` a stamp lies. */
export function since(stamp: string | null | undefined, at: string): string {
  return stamp === null || stamp === undefined ? '-' : duration(Date.parse(at) - Date.parse(stamp))
}

/** A figure with at most that many digits after the point; `-` when it is not known. */
export function figure(value: number | null, digits: number): string {
  return value === null ? '-' : value.toFixed(digits)
}

/** Room of a file system as `df -h` would say it: `980 KB`, `3.5 MB`, `250 MB`, `1.8 TB`. */
export function room(kb: number): string {
  const power = Math.min(ROOM_UNITS.length - 1, Math.floor(Math.log2(Math.max(1, kb)) / 10))
  const value = kb / 1_024 ** power
  return `${power > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${ROOM_UNITS[power]}`
}

function two(ms: number, large_ms: number, large: string, small_ms: number, small: string): string {
  return `${Math.floor(ms / large_ms)} ${large} ${Math.floor(ms % large_ms / small_ms)} ${small}`
}
