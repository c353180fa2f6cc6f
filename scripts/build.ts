/**
 * `npm run build`: one ESM file per program, into `dist/`.
 *   dist/program/  what `ringward publish` puts on the shared area and every host runs from its verified copy
 *   dist/host/     what is installed on every host
 *   dist/maps/     source maps, kept out of both
 * The same tree gives the same bytes: no stamp, no absolute path, the version is package.json's.
 */
import { build, type BuildOptions } from 'esbuild'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
/** Where install-host puts the host side; the wrappers name it. */
const INSTALLED = '/usr/local/lib/ringward'

const PROGRAM: Readonly<Record<string, string>> = {
  agent: 'agent/agent.ts', guard: 'agent/guard.ts', 'share-helper': 'agent/share-helper.ts', hand: 'agent/hand.ts', ringward: 'src/cli/main.ts',
}
const HOST: Readonly<Record<string, string>> = {
  executer: 'executer/executer.ts', 'share-helper': 'agent/share-helper.ts', hand: 'agent/hand.ts', ringward: 'src/cli/main.ts',
}

/** CommonJS packages in an ESM bundle ask for these three (ssh2 reads `__dirname`). The names are long so that no bundled module has them. */
const BANNER = [
  "import { createRequire as ringwardCreateRequire } from 'node:module'",
  "import { fileURLToPath as ringwardFileURLToPath } from 'node:url'",
  "import { dirname as ringwardDirname } from 'node:path'",
  'const require = ringwardCreateRequire(import.meta.url)',
  'const __filename = ringwardFileURLToPath(import.meta.url)',
  'const __dirname = ringwardDirname(__filename)',
].join(';')

function optionsFor(entries: Readonly<Record<string, string>>, outdir: string, version: string): BuildOptions {
  return {
    absWorkingDir: ROOT,
    entryPoints: Object.entries(entries).map(([out, from]) => ({ in: from, out })),
    outdir, outExtension: { '.js': '.mjs' },
    bundle: true, format: 'esm', platform: 'node', target: 'node20', splitting: false,
    // Stack traces name the source through the maps; names of errors and functions stay readable without them.
    sourcemap: 'external', sourcesContent: true, keepNames: true, legalComments: 'none', charset: 'utf8',
    // cpu-features and the compiled half of ssh2 are optional: no native addon at run time.
    external: ['cpu-features'], loader: { '.node': 'empty' },
    banner: { js: BANNER }, define: { 'process.env.RINGWARD_VERSION': JSON.stringify(version) },
    logLevel: 'warning',
  }
}

/** Entries whose source is there; the others are named loudly, and make the build incomplete. */
function present(entries: Readonly<Record<string, string>>): { there: Record<string, string>; missing: string[] } {
  const there = Object.fromEntries(Object.entries(entries).filter(([, from]) => existsSync(join(ROOT, from))))
  return { there, missing: Object.values(entries).filter(from => !existsSync(join(ROOT, from))) }
}

async function bundle(entries: Readonly<Record<string, string>>, folder: string, version: string): Promise<string[]> {
  const { there, missing } = present(entries)
  const outdir = join(DIST, folder)
  await mkdir(outdir, { recursive: true })
  if (Object.keys(there).length > 0) await build(optionsFor(there, outdir, version))
  const maps = join(DIST, 'maps', folder)
  await mkdir(maps, { recursive: true })
  for (const name of await readdir(outdir)) {
    if (name.endsWith('.map')) await rename(join(outdir, name), join(maps, name))
  }
  return missing
}

/** Commands of the host: `env` finds the node that is installed, wherever the distribution or the admin put it. */
const WRAPPERS: Readonly<Record<string, string>> = {
  // The forced command of the remote hand.
  hand: `#!/bin/sh\nexec /usr/bin/env node ${INSTALLED}/hand.mjs "$@"\n`,
  // Where the bundles for `ringward publish` were installed too, the CLI among them runs: it publishes what lies beside it.
  ringward: `#!/bin/sh\ncli=${INSTALLED}/program/ringward.mjs\n[ -e "$cli" ] || cli=${INSTALLED}/ringward.mjs\nexec /usr/bin/env node "$cli" "$@"\n`,
}

const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
await rm(DIST, { recursive: true, force: true })
const missing = [...new Set([...await bundle(PROGRAM, 'program', version), ...await bundle(HOST, 'host', version)])]
for (const [name, text] of Object.entries(WRAPPERS)) {
  await writeFile(join(DIST, 'host', name), text)
  await chmod(join(DIST, 'host', name), 0o755)
}
await writeFile(join(DIST, 'version.json'), `${JSON.stringify({ schema: 'ringward.build/1', version })}\n`)
for (const entry of missing) process.stderr.write(`build: MISSING ${entry}: its program is not built, and this build cannot be published\n`)
process.stdout.write(`build: version ${version} in dist/${missing.length > 0 ? `, ${missing.length} programs missing` : ''}\n`)
