/**
 * The simulator checked: each rule of core and guard is taken out of a copy of the source, and its absence must be noticed within a stated number of seeds.
 * With the rule whole the same seeds are clean. The source itself has no switch for it.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { breakSource } from '../broken-rules/broken-rule.ts'
import { KERNEL_RULES } from '../broken-rules/kernel-rules.ts'
import { MAJORITY_RULES } from '../broken-rules/majority-rules.ts'
import { RECOVERY_RULES } from '../broken-rules/recovery-rules.ts'
import { REDUNDANT_RULES } from '../broken-rules/redundant-rules.ts'
import { bundle, bundlesFolder, ROOT, run } from '../broken-rules/run.ts'

const BROKEN_RULES = [...KERNEL_RULES, ...MAJORITY_RULES, ...RECOVERY_RULES]

/** Two players of up to forty seeds, on a machine that has other work: against hanging only. */
const HANGING_MS = 600_000

describe('a rule taken out', () => {
  const folder = bundlesFolder()
  let whole: string
  beforeAll(async () => {
    whole = await bundle(folder, 'whole', [])
  })
  afterAll(() => rm(folder, { recursive: true }))

  it.each(BROKEN_RULES)('is noticed, and with it the same seeds are clean: $rule, $name', async ({ name, edits, play, seeds: { from, count }, seen }) => {
    const played = await run(await bundle(folder, name, edits), { play, from, count, until: seen })
    expect(played.at(-1)!.sights.filter(sight => seen.includes(sight.seen)), `${name} within ${count} seeds from ${from}`).not.toEqual([])
    const clean = await run(whole, { play, from, count: played.length, until: [] })
    expect(clean).toEqual(played.map(({ seed }) => ({ seed, sights: [] })))
  }, HANGING_MS)
})

describe('what would be taken out', () => {
  const all = [...BROKEN_RULES, ...REDUNDANT_RULES]

  it('has a name of its own', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  it.each(all)('stands in the source, once: $name', async ({ name, edits }) => {
    for (const file of new Set(edits.map(edit => edit.file))) {
      const source = await readFile(join(ROOT, file), 'utf8')
      expect(breakSource(name, edits, file, source)).not.toBe(source)
    }
  })

  it('is refused when it does not stand there, or more than once', () => {
    const edits = [{ file: 'a.ts', find: 'rule', replace: '' }]
    expect(() => breakSource('gone', edits, 'a.ts', 'nothing of it')).toThrow('"rule" stands 0 times in a.ts')
    expect(() => breakSource('twice', edits, 'a.ts', 'a rule and a rule')).toThrow('"rule" stands 2 times in a.ts')
  })

  it('is refused when the simulator does not run it', async () => {
    const folder = bundlesFolder()
    await expect(bundle(folder, 'elsewhere', [{ file: 'src/cli/main.ts', find: 'main', replace: '' }])).rejects.toThrow('src/cli/main.ts is no part of the simulator')
    await rm(folder, { recursive: true })
  })
})
