/** Proof by the operator's word (R4): a person has seen that a host has stopped. What it gave may be given by others. */
import type { Context } from './context.ts'
import { claimsHeldBy, hostOf } from './context.ts'
import { releaseEpoch } from './giving.ts'
import { shareFresh } from './presence.ts'
import type { State } from './state.ts'

/** Why the word is not taken; undefined when nothing known here speaks against it. Whether it answers pings is the asker's to find out. */
export function livingSign(state: State, target: string, now_ms: number): string | undefined {
  if (target === state.self) return 'it is this host'
  const { lease, lease_silent_ms, promised_until_ms } = hostOf(state, target)
  if (!shareFresh(state, now_ms)) return 'the shared area was not read lately, so nobody knows whether it renews its lease'
  if (promised_until_ms > now_ms) return 'it has lost the shared area and goes on by promise'
  if (lease && lease_silent_ms < state.profile.stop_ms) return 'it renews its lease'
  return undefined
}

/** Only claims that stand now are released, those of unmanaged functions too: that they stay is what the operator decides about. One that the host makes when it comes back after all is its own. */
export function noteConfirmedDead(context: Context, target: string): void {
  const { state, now_ms } = context
  if (!state.hosts.has(target)) return
  const sign = livingSign(state, target, now_ms)
  if (sign !== undefined) return context.because(`${target}_is_not_taken_for_dead_by_the_operator's_word: ${sign}`, { level: 'warning' })
  context.because(`${target}_is_dead_by_the_operator's_word`, { level: 'alarm' })
  for (const { function: name, epoch } of claimsHeldBy(state, target)) {
    if (releaseEpoch(context, name, epoch, 'operator')) context.because(`Release_${name}_epoch_${epoch}: ${target} is dead by the operator's word`)
  }
}
