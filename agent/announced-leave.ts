import { setTimeout as sleep } from 'node:timers/promises'
import { functionOf } from '../src/core/context.ts'
import type { Event } from '../src/core/event.ts'
import { giverOf } from '../src/core/incident.ts'
import type { State } from '../src/core/state.ts'
import type { Clock } from '../src/edges/clock.ts'
import { reasonOf } from '../src/errors.ts'
import type { GuardClient } from '../src/guard/guard-client.ts'

export interface AnnouncedLeaveParts {
  readonly state: State
  readonly clock: Clock
  readonly guard: Pick<GuardClient, 'request'>
  /** Writes to the shared area that are still under way. */
  readonly writing: () => number
  readonly post: (event: Event) => void
  readonly note: (text: string) => void
}

/** Shutdown waits this long for the hand-over (protocol 6); the core gives up after 8 s and releases, which takes a write of the share. */
const HAND_OVER_LIMIT_MS = 9_500
/** Started ahead, a successor serves within 0.1 s of the claim; one that does not is the ring's matter. */
const SUCCESSOR_LIMIT_MS = 1_000
const LOOK_MS = 10
const GUARD_LIMIT_MS = 700

/**
 * The system shuts down or reboots: what this host gives is handed to hosts where it stands ready, what nobody takes is stopped and released,
 * and when those serve the guard takes the last address off and tells the ring "goodbye".
 */
export async function leaveAnnounced(parts: AnnouncedLeaveParts, why: 'shutdown' | 'reboot'): Promise<void> {
  const { state, clock, guard, post, note } = parts
  const until_ms = clock.boot_ms() + HAND_OVER_LIMIT_MS
  const names = [...state.giving.keys()]
  post({ event: 'leave', why })
  while ((state.giving.size > 0 || parts.writing() > 0) && clock.boot_ms() < until_ms) await sleep(LOOK_MS)
  const left = [...state.giving.keys()]
  if (left.length > 0) note(`Hand_over_did_not_end_in_time: ${left.join(' ')} stop with this host, their lease runs out`)
  await successorsServe(parts, names, Math.min(until_ms, clock.boot_ms() + SUCCESSOR_LIMIT_MS))
  const reply = await guard.request({ verb: 'leave', standing: 'goodbye' }, GUARD_LIMIT_MS).catch((error: unknown) => ({ ok: false, reason: reasonOf(error) }))
  note(reply.ok ? 'Goodbye: this host gives nothing any more' : `The_guard_did_not_leave: ${reply.reason ?? 'no reason given'}`)
}

/**
 * The goodbye sends every other host to the shared area, and the system begins to stop its services: both would cost the successors the
 * moment in which they read their claim and take the address (measured in the lab: 0.1 to 0.2 s of the cut).
 */
async function successorsServe({ state, clock }: AnnouncedLeaveParts, names: readonly string[], until_ms: number): Promise<void> {
  const starting = (name: string): boolean => {
    const { claim, release } = functionOf(state, name)
    return claim !== undefined && claim.holder !== state.self && !release && giverOf({ state }, name) === undefined
  }
  while (names.some(starting) && clock.boot_ms() < until_ms) await sleep(LOOK_MS)
}
