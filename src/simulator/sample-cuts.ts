/** How long functions are not served, as a client sees it that connects ten times a second. */
import type { World } from './world.ts'

/** A client that connects ten times a second sees no more. */
export const SAMPLE_MS = 100

/** One look at every function; `current_ms`: how long each has not been served, `longest_ms`: the longest of that so far. */
export function sampleCuts(world: World, current_ms: Map<string, number>, longest_ms: Map<string, number>): void {
  for (const name of world.names) {
    const cut_ms = world.isServed(name) ? 0 : (current_ms.get(name) ?? 0) + SAMPLE_MS
    current_ms.set(name, cut_ms)
    longest_ms.set(name, Math.max(cut_ms, longest_ms.get(name) ?? 0))
  }
}
