import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { COPIED_MANIFEST, parseManifest, verifyBytes, versionNumber, type Manifest, type ManifestEntry } from '../src/configuration/manifest.ts'
import type { Places } from '../src/configuration/places.ts'
import { RingwardError, reasonOf } from '../src/errors.ts'

/** A verified copy on the local disk: what is run. */
export interface LocalCopy {
  readonly version: string
  readonly program: string
  readonly data: string
}

/** Programs are run, not changed; root alone writes here anyway. */
const PROGRAM_MODE = 0o555
const DATA_MODE = 0o444

export function copyPlaces(places: Places, version: string): LocalCopy {
  return { version, program: join(places.program, version), data: join(places.data, version) }
}

/** Bytes of a published file, read from the share and verified. */
export type Reader = (path: string, entry: ManifestEntry) => Promise<Buffer>

/**
 * Writes a publication to the local disk: each tree into a temporary folder, everything to the disk, then renamed, so that a folder with
 * a version's name is always whole. An existing folder of that version is replaced: the caller knows that it is not the same or not whole.
 */
export async function installCopy(places: Places, manifest: Manifest, manifest_bytes: Buffer, read: Reader): Promise<LocalCopy> {
  const copy = copyPlaces(places, manifest.version)
  await installTree(copy.program, manifest.program.files, PROGRAM_MODE, manifest_bytes, file => read(`${manifest.program.directory}/${file.path}`, file))
  await installTree(copy.data, manifest.data.files, DATA_MODE, manifest_bytes, file => read(file.path, file))
  return copy
}

async function installTree(folder: string, files: readonly ManifestEntry[], mode: number, manifest_bytes: Buffer, read: (file: ManifestEntry) => Promise<Buffer>): Promise<void> {
  const parent = dirname(folder)
  const temporary = join(parent, '.new')
  await rm(temporary, { recursive: true, force: true })
  const folders = new Set([temporary])
  for (const file of files) {
    const place = join(temporary, file.path)
    const bytes = await read(file)
    await mkdir(dirname(place), { recursive: true, mode: 0o755 })
    folders.add(dirname(place))
    await writeDurably(place, bytes, mode)
  }
  await writeDurably(join(temporary, COPIED_MANIFEST), manifest_bytes, DATA_MODE)
  for (const each of folders) await syncFolder(each)
  await rm(folder, { recursive: true, force: true })
  await rename(temporary, folder)
  await syncFolder(parent)
}

/**
 * The copy of `version`, after every file was verified again against the manifest kept with it: a disk may have lost
 * or changed bytes since.
 * @throws RingwardError MANIFEST_INVALID when it is not whole.
 */
export async function openCopy(places: Places, version: string): Promise<{ copy: LocalCopy; manifest_bytes: Buffer }> {
  const copy = copyPlaces(places, version)
  try {
    const manifest_bytes = await readFile(join(copy.program, COPIED_MANIFEST))
    const manifest = parseManifest(manifest_bytes)
    if (!manifest_bytes.equals(await readFile(join(copy.data, COPIED_MANIFEST)))) throw new Error('program and data are of different publications')
    for (const entry of manifest.program.files) verifyBytes(entry, await readFile(join(copy.program, entry.path)))
    for (const entry of manifest.data.files) verifyBytes(entry, await readFile(join(copy.data, entry.path)))
    return { copy, manifest_bytes }
  } catch (error) {
    throw new RingwardError('MANIFEST_INVALID', `the local copy of version ${version} is not whole: ${reasonOf(error)}`, { cause: error })
  }
}

/** The program files of a copy, as its manifest lists them. */
export async function publishedProgram({ program }: LocalCopy): Promise<readonly ManifestEntry[]> {
  return parseManifest(await readFile(join(program, COPIED_MANIFEST))).program.files
}

/** The version that was last found good, or undefined when there is none yet. */
export async function readCurrent(places: Places): Promise<string | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(places.current, 'utf8'))
    const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined
    return typeof version === 'string' && versionNumber(version) !== undefined ? version : undefined
  } catch {
    return undefined
  }
}

export async function writeCurrent(places: Places, version: string): Promise<void> {
  const { program, data } = copyPlaces(places, version)
  const temporary = `${places.current}.new`
  await writeDurably(temporary, Buffer.from(`${JSON.stringify({ schema: 'ringward.current/1', version, program, data })}\n`), 0o644)
  await rename(temporary, places.current)
  await syncFolder(dirname(places.current))
}

/** Removes all copies but those of `keep` and the newest other one (to go back to by hand): the disk must not fill. */
export async function pruneCopies(places: Places, keep: readonly string[]): Promise<void> {
  for (const folder of [places.program, places.data]) {
    const others = (await readdir(folder)).filter(name => !keep.includes(name)).sort((left, right) => (versionNumber(left) ?? 0) - (versionNumber(right) ?? 0))
    for (const name of others.slice(0, -1)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

async function writeDurably(place: string, bytes: Buffer, mode: number): Promise<void> {
  await mkdir(dirname(place), { recursive: true, mode: 0o755 })
  await rm(place, { force: true })
  const file = await open(place, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.chmod(mode)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
