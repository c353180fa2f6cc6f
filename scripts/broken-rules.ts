/**
 * `scripts/broken-rules [--seeds 40] [--jobs 1] [NAME…]`
 * Takes rules of the protocol out of copies of the source, one after the other, and plays all its seeds with each, where the tests end with the first that shows it
 * (test/broken-rules/). Without names: all rules, those that others cover for too, and `nothing`, the whole source in the same plays.
 * Prints a Markdown table (docs/broken-rules.md has one); ends with 1 when a rule was not noticed, or one that others cover for was, or the whole source.
 */
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Edit, Play, Seen } from '../test/broken-rules/broken-rule.ts'
import { KERNEL_RULES } from '../test/broken-rules/kernel-rules.ts'
import { MAJORITY_RULES } from '../test/broken-rules/majority-rules.ts'
import type { Played } from '../test/broken-rules/player.ts'
import { RECOVERY_RULES } from '../test/broken-rules/recovery-rules.ts'
import { REDUNDANT_RULES } from '../test/broken-rules/redundant-rules.ts'
import { bundle, bundlesFolder, run } from '../test/broken-rules/run.ts'

/** One rule taken out in one play. */
interface Search {
  readonly name: string
  readonly rule: string
  readonly what: string
  readonly edits: readonly Edit[]
  readonly play: Play
  readonly from: number
  /** Empty: nothing may be seen. */
  readonly seen: readonly Seen[]
}

/** A process plays so many and is asked again: what it says is bounded, and so is its time. */
const SEEDS_AT_A_TIME = 20

function allSearches(): Search[] {
  const broken = [...KERNEL_RULES, ...MAJORITY_RULES, ...RECOVERY_RULES].map(({ seeds: { from }, ...rule }): Search => ({ ...rule, from }))
  const covered = REDUNDANT_RULES.flatMap(({ plays, ...rule }) => plays.map((play): Search => ({ ...rule, play, from: 1, seen: [] })))
  const plays = new Map([...broken, ...covered].map(({ play, from }) => [`${JSON.stringify(play)} ${from}`, { play, from }]))
  const whole = [...plays.values()].map((play): Search => ({ name: 'nothing', rule: '', what: 'nothing', edits: [], ...play, seen: [] }))
  return [...broken, ...covered, ...whole]
}

function chosen(names: readonly string[]): Search[] {
  const all = allSearches()
  const unknown = names.filter(name => !all.some(search => search.name === name))
  if (unknown.length > 0) throw new Error(`there is no rule ${unknown.join(', ')}; known: ${[...new Set(all.map(({ name }) => name))].join(', ')}`)
  return names.length > 0 ? all.filter(({ name }) => names.includes(name)) : all
}

function words(play: Play): string {
  if ('story' in play) return `story "${play.story}"`
  if ('drawn' in play) return `drawn, ${play.drawn.hosts.join('–')} hosts, ${play.drawn.faults.join('–')} faults`
  if ('swarm' in play) return `swarm, ${play.swarm.hosts.join('–')} hosts`
  const { faults = [], count, ...others } = play
  const wishes = Object.entries(others).map(([key, value]) => `${key} ${JSON.stringify(value)}`)
  return [...faults.length > 0 ? faults.map(fault => `\`${fault}\``) : [`${count ?? 1} at random`], ...wishes].join(', ')
}

/** The row of the table, and whether the outcome is what tests and docs say. */
function outcome({ name, rule, what, play, from, seen }: Search, played: readonly Played[]): { readonly row: string; readonly expected: boolean } {
  const noticed = played.filter(({ sights }) => sights.length > 0)
  const kinds = [...new Set(noticed.flatMap(({ sights }) => sights.map(sight => sight.seen)))].sort()
  const first = noticed.find(({ sights }) => seen.length === 0 || sights.some(sight => seen.includes(sight.seen)))
  const found = noticed.length === 0 ? 'not noticed' : `${kinds.join(', ')} in ${noticed.length} of ${played.length}`
  const needed = first ? `${first.seed - from + 1}${from > 1 ? ` (from ${from})` : ''}` : '–'
  return { row: `| ${rule} | ${what} (\`${name}\`) | ${words(play)} | ${found} | ${needed} |`, expected: (first !== undefined) === (seen.length > 0) }
}

async function playAll({ play, from }: Search, player: string, count: number): Promise<Played[]> {
  const played: Played[] = []
  for (let done = 0; done < count; done += SEEDS_AT_A_TIME) played.push(...await run(player, { play, from: from + done, count: Math.min(SEEDS_AT_A_TIME, count - done), until: [] }))
  return played
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { seeds: { type: 'string', default: '40' }, jobs: { type: 'string', default: '1' }, help: { type: 'boolean', default: false } } })
  if (values.help) return console.log('scripts/broken-rules [--seeds 40] [--jobs 1] [NAME…]')
  const waiting = chosen(positionals)
  const folder = bundlesFolder()
  const work = async (): Promise<void> => {
    for (let search = waiting.shift(); search; search = waiting.shift()) {
      const { row, expected } = outcome(search, await playAll(search, await bundle(folder, search.name, search.edits), Number(values.seeds)))
      console.log(expected ? row : `${row} NOT AS EXPECTED`)
      if (!expected) process.exitCode = 1
    }
  }
  console.log('| rule | taken out | played | noticed | seeds needed |\n|---|---|---|---|---|')
  try {
    await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  } finally {
    await rm(folder, { recursive: true })
  }
}

await main()
