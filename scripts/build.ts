/**
 * `npm run build`: one ESM file per program, into `dist/`.
 *   dist/program/  what `ringward publish` puts on the shared area and every host runs from its verified copy
 *   dist/host/     what is installed on every host
 *   dist/maps/     source maps, kept out of both
 * The same tree gives the same bytes: no stamp, no absolute path, the version is package.json's.
 */
import { build, type BuildOptions } from 'esbuild'
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
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
    // External, not empty: ssh2 falls back to its JavaScript only when the compiled half cannot be loaded at all.
    external: ['cpu-features', '*.node'],
    banner: { js: BANNER }, define: { 'process.env.RINGWARD_VERSION': JSON.stringify(version) },
    logLevel: 'warning',
  }
}

async function bundle(entries: Readonly<Record<string, string>>, dist: string, folder: string, version: string): Promise<void> {
  const outdir = join(dist, folder)
  await build(optionsFor(entries, outdir, version))
  const maps = join(dist, 'maps', folder)
  await mkdir(maps, { recursive: true })
  for (const name of await readdir(outdir)) {
    if (name.endsWith('.map')) await rename(join(outdir, name), join(maps, name))
  }
}

/** Commands of the host: `env` finds the node that is installed, wherever the distribution or the admin put it. */
const WRAPPERS: Readonly<Record<string, string>> = {
  // The forced command of the remote hand.
  hand: `#!/bin/sh\nexec /usr/bin/env node ${INSTALLED}/hand.mjs "$@"\n`,
  // Where the bundles for `ringward publish` were installed too, the CLI among them runs: it publishes what lies beside it.
  ringward: `#!/bin/sh\ncli=${INSTALLED}/program/ringward.mjs\n[ -e "$cli" ] || cli=${INSTALLED}/ringward.mjs\nexec /usr/bin/env node "$cli" "$@"\n`,
}

/** Into a fresh folder and then renamed: whoever builds or installs at the same time never sees half a build. */
async function buildAll(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const fresh = await mkdtemp(join(ROOT, '.dist-'))
  try {
    await bundle(PROGRAM, fresh, 'program', version)
    await bundle(HOST, fresh, 'host', version)
    for (const [name, text] of Object.entries(WRAPPERS)) await writeFile(join(fresh, 'host', name), text, { mode: 0o755 })
    await writeFile(join(fresh, 'version.json'), `${JSON.stringify({ schema: 'ringward.build/1', version })}\n`)
    await chmod(fresh, 0o755)
    const old = `${fresh}-old`
    await rename(DIST, old).catch(() => undefined)
    await rename(fresh, DIST)
    await rm(old, { recursive: true, force: true })
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    throw error
  }
  return version
}

process.stdout.write(`build: version ${await buildAll()} in dist/\n`)
