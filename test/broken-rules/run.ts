/** Bundles the simulator with a rule broken, once for each rule, and plays seeds with it in a process of its own. */
import { build as bundleWith } from 'esbuild'
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { breakSource, type Edit } from './broken-rule.ts'
import type { Played, Task } from './player.ts'

export const ROOT = join(import.meta.dirname, '../..')
/** Against a broken rule that never ends a schedule; the simulator's own limit on events comes sooner. */
const PLAY_LIMIT_MS = 600_000
/** Eight sights of a thousand seeds, with room. */
const OUTPUT_LIMIT = 64 * 1024 * 1024

export const bundlesFolder = (): string => mkdtempSync(join(tmpdir(), 'ringward-broken-rules-'))

/** The path of the player with these edits; without any it is the simulator as it is. Fails when an edit does not apply. */
export async function bundle(folder: string, name: string, edits: readonly Edit[]): Promise<string> {
  const outfile = join(folder, `${name}.mjs`)
  const applied = new Set<string>()
  await bundleWith({
    absWorkingDir: ROOT, entryPoints: ['test/broken-rules/player.ts'], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'silent',
    plugins: [{ name: 'broken-rule', setup: build => build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const file = relative(ROOT, path)
      applied.add(file)
      return { contents: breakSource(name, edits, file, await readFile(path, 'utf8')), loader: 'ts' }
    }) }],
  })
  const missing = edits.filter(({ file }) => !applied.has(file))
  if (missing.length > 0) throw new Error(`broken rule ${name}: ${missing.map(({ file }) => file).join(', ')} is no part of the simulator`)
  return outfile
}

export async function run(player: string, task: Task): Promise<Played[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [player, JSON.stringify(task)], { timeout: PLAY_LIMIT_MS, maxBuffer: OUTPUT_LIMIT })
  return stdout.split('\n').filter(Boolean).map(line => JSON.parse(line) as Played)
}
