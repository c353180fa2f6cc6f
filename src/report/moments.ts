/** Boot-clock times of one host as wall-clock stamps for people. */
export interface Moments {
  readonly now_ms: number
  readonly wall: Date
}

/** RFC 3339; null for what has not happened yet. */
export function stamp(moments: Moments, at_ms: number): string | null {
  return Number.isFinite(at_ms) ? new Date(moments.wall.getTime() - (moments.now_ms - at_ms)).toISOString() : null
}
