/** Rules of the product's own source broken on purpose, for the search only: in a bundle of its own, in memory of this test. */
import { build } from 'esbuild'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Search from '../../src/simulator/exhaustive/search.ts'

const ROOT = join(import.meta.dirname, '../..')

/** In `file`, `find` stands exactly once. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** `searchWithin` of a search whose rules have these edits; fails when an edit does not apply. */
export async function searchWith(edits: readonly Edit[]): Promise<typeof Search.searchWithin> {
  const folder = mkdtempSync(join(tmpdir(), 'ringward-exhaustive-'))
  const applied = new Set<Edit>()
  try {
    const outfile = join(folder, 'search.mjs')
    await build({
      absWorkingDir: ROOT, entryPoints: ['src/simulator/exhaustive/search.ts'], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'silent',
      plugins: [{ name: 'broken-rule', setup: bundle => bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        let contents = await readFile(path, 'utf8')
        for (const edit of edits) {
          if (edit.file !== relative(ROOT, path)) continue
          const parts = contents.split(edit.find)
          if (parts.length !== 2) throw new Error(`${JSON.stringify(edit.find)} stands ${parts.length - 1} times in ${edit.file}, once is needed: the rule was rewritten, break it anew`)
          contents = parts.join(edit.replace)
          applied.add(edit)
        }
        return { contents, loader: 'ts' }
      }) }],
    })
    if (applied.size !== edits.length) throw new Error('an edit is about a file that is no part of the search')
    return ((await import(pathToFileURL(outfile).href)) as typeof Search).searchWithin
  } finally {
    rmSync(folder, { recursive: true })
  }
}
