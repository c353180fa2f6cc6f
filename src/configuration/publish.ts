import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, RingwardError, whenAbsent } from '../errors.ts'
import type { Clock } from '../edges/clock.ts'
import { runCheck } from './check.ts'
import { replaceFile, syncDirectory, temporaryName, writeNew } from './durable-file.ts'
import { MANIFEST_FILE } from './layout.ts'
import { entryOf, isSafePath, MANIFEST_LIMIT_BYTES, parseManifest, PROGRAM_FILE_LIMIT_BYTES, versionNumber, type Manifest } from './manifest.ts'
import { formatProblem, type Problem } from './problem.ts'

/** Without one of these a host cannot run what is published. */
export const PROGRAM_FILES = ['agent.mjs', 'guard.mjs', 'hand.mjs', 'ringward.mjs', 'share-helper.mjs'] as const
const BUNDLES_LIMIT = 100

export interface PublishOptions {
  readonly clock: Clock
  /** Follows the number of the version, e.g. the product's version; a-z, 0-9, "." and "-". */
  readonly label?: string
  /** Checks and says what would be published; writes nothing. */
  readonly dry_run?: boolean
}

export interface Publication {
  readonly manifest: Manifest
  readonly warnings: readonly Problem[]
}

/**
 * Publishes the configuration as it stands and the program's bundles on the shared area. The program comes first
 * and is read-only; the manifest comes last and in one step, so that a host sees the old publication or the new one.
 * Rejects with CONFIGURATION_INVALID (all problems, one a line) or MANIFEST_INVALID; then nothing has changed.
 */
export async function publish(directory: string, program_directory: string, options: PublishOptions): Promise<Publication> {
  const check = await runCheck(directory)
  if (!check.inventory) throw new RingwardError('CONFIGURATION_INVALID', `nothing was published; correct this first:\n${check.problems.map(formatProblem).join('\n')}`)
  const bundles = await readBundles(program_directory)
  const number = await lastNumber(directory) + 1
  const version = options.label === undefined ? String(number) : `${number}-${options.label}`
  if (versionNumber(version) === undefined) throw new RingwardError('USAGE', `"${options.label ?? ''}" cannot be the label of a version; use at most 40 of a-z, 0-9, "." and "-"`)
  const manifest: Manifest = {
    schema: 'ringward.manifest/1', version, created: options.clock.wall().toISOString(), expires: null,
    program: { directory: `program/${version}`, files: bundles.map(({ name, bytes }) => entryOf(name, bytes)) },
    // The hashes are of the very text that was checked: a file that is changed meanwhile is refused by the hosts.
    data: { files: [...check.files].map(([path, text]) => entryOf(path, Buffer.from(text))) },
    signature: null,
  }
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
  parseManifest(bytes)
  if (!options.dry_run) {
    await writeProgram(directory, version, bundles)
    await replaceFile(join(directory, MANIFEST_FILE), bytes, 0o644)
  }
  return { manifest, warnings: check.warnings }
}

interface Bundle {
  readonly name: string
  readonly bytes: Uint8Array
}

async function readBundles(directory: string): Promise<Bundle[]> {
  const names = (await readdir(directory).catch((error: unknown) => {
    throw new RingwardError('MANIFEST_INVALID', `the program in ${directory} cannot be read: ${reasonOf(error)}; name the folder with the built bundles`)
  })).filter(name => name.endsWith('.mjs') && isSafePath(name)).sort()
  const missing = PROGRAM_FILES.filter(name => !names.includes(name))
  if (missing.length > 0) throw new RingwardError('MANIFEST_INVALID', `${directory} has no ${missing.join(', ')}; build the program and name the folder with its bundles`)
  if (names.length > BUNDLES_LIMIT) throw new RingwardError('MANIFEST_INVALID', `${directory} has ${names.length} bundles, more than ${BUNDLES_LIMIT}; name the folder with the built bundles`)
  return Promise.all(names.map(async name => {
    const bytes = await readFile(join(directory, name))
    if (bytes.length > PROGRAM_FILE_LIMIT_BYTES) throw new RingwardError('MANIFEST_INVALID', `${name} has ${bytes.length} bytes, more than ${PROGRAM_FILE_LIMIT_BYTES}; name the folder with the built bundles`)
    return { name, bytes }
  }))
}

/** Numbers go forward only: past the manifest's and past every version whose program is there. */
async function lastNumber(directory: string): Promise<number> {
  const versions = await readdir(join(directory, 'program')).catch(whenAbsent([]))
  const published = await publishedVersion(join(directory, MANIFEST_FILE))
  return Math.max(0, ...[...versions, ...published === undefined ? [] : [published]].map(version => versionNumber(version) ?? 0))
}

async function publishedVersion(path: string): Promise<string | undefined> {
  const handle = await open(path, 'r').catch(whenAbsent(undefined))
  if (!handle) return undefined
  try {
    if ((await handle.stat()).size > MANIFEST_LIMIT_BYTES) return undefined
    return parseManifest(await handle.readFile()).version
  } catch (error) {
    // A manifest that every host refuses must not keep its replacement away; a share that fails must.
    if (error instanceof RingwardError) return undefined
    throw error
  } finally {
    await handle.close()
  }
}

/** The whole folder appears under its name at once; a name that is taken is refused by the rename. */
async function writeProgram(directory: string, version: string, bundles: readonly Bundle[]): Promise<void> {
  const target = join(directory, 'program', version)
  const temporary = temporaryName(target)
  try {
    await mkdir(temporary, { recursive: true, mode: 0o755 })
    for (const { name, bytes } of bundles) await writeNew(join(temporary, name), bytes, 0o444)
    await syncDirectory(temporary)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw new RingwardError('MANIFEST_INVALID', `version ${version} of the program cannot be written to ${target}: ${reasonOf(error)}; nothing was published`)
  }
  await syncDirectory(join(directory, 'program'))
}
