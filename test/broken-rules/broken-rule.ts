/** A rule of the protocol, taken out of the source on purpose: only tests do it, in a copy that they bundle themselves. */
import type { ScheduleOptions } from '../../src/simulator/schedule.ts'
import type { StoryName } from './stories.ts'

/** In `file`, `find` stands exactly once; a rule that was rewritten meanwhile fails loudly and has to be broken anew. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** What happens to the ring: named faults at random moments, a plan drawn whole from the seed (short or of the swarm), or a story told in code. */
export type Play =
  | Omit<ScheduleOptions, 'seed' | 'onLog'>
  /** The schedules of `ringward simulate`: minutes long, from the whole menu. */
  | { readonly swarm: { readonly hosts: readonly [number, number] } }
  | { readonly drawn: { readonly hosts: readonly [number, number]; readonly faults: readonly [number, number] } }
  | { readonly story: StoryName }

/** What can be seen to be broken: S1–S7, L1 and L2 by the checker, L3 when the layout is not policy at the end, `end` when a schedule never ends or the core throws. */
export type Seen = 'S1' | 'S2' | 'S3' | 'S4' | 'S6' | 'S7' | 'L1' | 'L2' | 'L3' | 'end'

export interface BrokenRule {
  readonly name: string
  /** Of docs/protocol.md. */
  readonly rule: string
  readonly what: string
  /** All places in which the rule stands; most rules stand in one. */
  readonly edits: readonly Edit[]
  readonly play: Play
  /** Of these seeds one at least shows one of `seen`. */
  readonly seeds: { readonly from: number; readonly count: number }
  readonly seen: readonly Seen[]
}

/** A rule whose removal nobody notices, and why. */
export interface RedundantRule {
  readonly name: string
  readonly rule: string
  readonly what: string
  readonly edits: readonly Edit[]
  /** Where it was looked for. */
  readonly plays: readonly Play[]
  /** What holds instead; the docs say it as well. */
  readonly because: string
}

/** The source with the rule broken; throws when the source is not the one the edit was written for. */
export function breakSource(name: string, edits: readonly Edit[], file: string, source: string): string {
  return edits.filter(edit => edit.file === file).reduce((text, { find, replace }) => {
    const parts = text.split(find)
    if (parts.length !== 2) throw new Error(`broken rule ${name}: ${JSON.stringify(find)} stands ${parts.length - 1} times in ${file}, once is needed: the rule was rewritten, break it anew`)
    return parts.join(replace)
  }, source)
}
