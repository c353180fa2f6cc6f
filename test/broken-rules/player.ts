/**
 * The program that plays seeds, bundled with a rule broken or with none, in a process of its own. Its one argument is a `Task` as JSON; each
 * line of its output is one seed with what was seen.
 */
import type { Play, Seen } from './broken-rule.ts'
import { playOne, type Sight } from './play.ts'

export interface Task {
  readonly play: Play
  readonly from: number
  readonly count: number
  /** Ends with the first seed that shows one of these. */
  readonly until: readonly Seen[]
}

export interface Played {
  readonly seed: number
  readonly sights: readonly Sight[]
}

const { play, from, count, until } = JSON.parse(process.argv[2]!) as Task
for (let seed = from; seed < from + count; seed += 1) {
  const sights = playOne(play, seed)
  console.log(JSON.stringify({ seed, sights: sights.slice(0, 8) } satisfies Played))
  if (sights.some(({ seen }) => until.includes(seen))) break
}
