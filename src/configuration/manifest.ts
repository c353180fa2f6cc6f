import { createHash } from 'node:crypto'
import { reasonOf, RingwardError } from '../errors.ts'

/**
 * What has been published: every file with its size and hash. The Executer reads bytes once, verifies those
 * bytes and runs its own copy of them (architecture, trust). This file depends on almost nothing, because the Executer
 * that carries it changes rarely.
 */
export interface ManifestEntry {
  /** Relative, in safe letters only. */
  readonly path: string
  readonly size: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

export interface Manifest {
  readonly schema: 'ringward.manifest/1'
  /** A growing number and a label, e.g. `7-0.1.0`. */
  readonly version: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** ISO 8601, UTC; null: never. */
  readonly expires: string | null
  /** Paths are relative to the directory, which is relative to the shared area. */
  readonly program: { readonly directory: string; readonly files: readonly ManifestEntry[] }
  /** Paths are relative to the shared area. */
  readonly data: { readonly files: readonly ManifestEntry[] }
  /** Room for an ed25519 signature. */
  readonly signature: string | null
}

/** Each verified copy of program and data keeps the manifest it was verified against; the leading dot keeps it apart from published names. */
export const COPIED_MANIFEST = '.manifest.json'
/** 2,000 entries of 150 bytes, doubled. */
export const MANIFEST_LIMIT_BYTES = 1024 * 1024
const ENTRIES_LIMIT = 2_000
/** A bundle with everything in it has 3 MB. */
export const PROGRAM_FILE_LIMIT_BYTES = 64 * 1024 * 1024
const DEPTH_LIMIT = 4
/** Of a SHA-256: enough to tell the few programs of a ring apart. */
const DIGEST_DIGITS = 16

const VERSION_PATTERN = /^([1-9][0-9]{0,8})(?:-([a-z0-9][a-z0-9.-]{0,39}))?$/
const SEGMENT_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/
const STAMP_PATTERN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/

/** The number of a version, by which versions are compared; undefined when it is not a version. */
export function versionNumber(version: string): number | undefined {
  const found = VERSION_PATTERN.exec(version)
  return found ? Number(found[1]) : undefined
}

export function isSafePath(path: string): boolean {
  const segments = path.split('/')
  return segments.length <= DEPTH_LIMIT && segments.every(segment => SEGMENT_PATTERN.test(segment))
}

export function entryOf(path: string, bytes: Uint8Array): ManifestEntry {
  return { path, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Throws MANIFEST_INVALID unless the bytes are exactly those that were published. */
export function verifyBytes(entry: ManifestEntry, bytes: Uint8Array): void {
  const found = entryOf(entry.path, bytes)
  if (found.size !== entry.size) refuse(`${entry.path} has ${found.size} bytes, but ${entry.size} were published; run "ringward publish" if the change was meant`)
  if (found.sha256 !== entry.sha256) refuse(`${entry.path} is not what was published (SHA-256 ${found.sha256.slice(0, 12)}…, published ${entry.sha256.slice(0, 12)}…); run "ringward publish" if the change was meant`)
}

/** Tells two programs apart, whatever the versions are under which they were published: of the names and contents of all its files. */
export function programDigest({ program }: Manifest): string {
  const files = program.files.map(({ path, sha256 }) => `${sha256} ${path}`).sort()
  return createHash('sha256').update(files.join('\n')).digest('hex').slice(0, DIGEST_DIGITS)
}

/** Whether the manifest's time is over. A clock that is wrong is the reason that none expires yet. */
export function hasExpired(manifest: Manifest, now: Date): boolean {
  return manifest.expires !== null && Date.parse(manifest.expires) <= now.getTime()
}

/**
 * Reads a manifest. Every field that is known is checked strictly; fields that are not are left alone, since the
 * contract lets them be added. Throws MANIFEST_INVALID.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MANIFEST_LIMIT_BYTES) refuse(`it has ${bytes.length} bytes, more than ${MANIFEST_LIMIT_BYTES}`)
  let data: unknown
  try {
    data = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    refuse(`it is not JSON: ${reasonOf(error)}`)
  }
  const manifest = table(data, 'the manifest')
  if (manifest['schema'] !== 'ringward.manifest/1') refuse('its schema is not "ringward.manifest/1"; install the Executer that fits the publication')
  const version = text(manifest['version'], 'version', VERSION_PATTERN)
  const created = text(manifest['created'], 'created', STAMP_PATTERN)
  const expires = manifest['expires'] === null ? null : text(manifest['expires'], 'expires', STAMP_PATTERN)
  const signature = manifest['signature'] === null ? null : text(manifest['signature'], 'signature', /^[A-Za-z0-9+/=:-]{1,500}$/)
  const program = table(manifest['program'], 'program')
  const directory = text(program['directory'], 'program.directory', /^program\//)
  if (directory !== `program/${version}`) refuse(`program.directory is not "program/${version}"`)
  return {
    schema: 'ringward.manifest/1', version, created, expires,
    program: { directory, files: entries(program['files'], 'program.files', PROGRAM_FILE_LIMIT_BYTES) },
    // The limit of a file of the configuration; also its check's.
    data: { files: entries(table(manifest['data'], 'data')['files'], 'data.files', 256 * 1024) },
    signature,
  }
}

function entries(value: unknown, name: string, limit_bytes: number): ManifestEntry[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > ENTRIES_LIMIT) refuse(`${name} is not a list of 1 to ${ENTRIES_LIMIT} files`)
  const seen = new Set<string>()
  return (value as unknown[]).map((item, index) => {
    const entry = table(item, `${name}[${index}]`)
    const path = text(entry['path'], `${name}[${index}].path`, /^.{1,410}$/)
    if (!isSafePath(path)) refuse(`${name}[${index}].path is not a safe relative path`)
    if (seen.has(path)) refuse(`${name} lists ${path} twice`)
    seen.add(path)
    const size = entry['size']
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > limit_bytes) refuse(`${name}[${index}].size is not a number from 0 to ${limit_bytes}`)
    return { path, size, sha256: text(entry['sha256'], `${name}[${index}].sha256`, /^[0-9a-f]{64}$/) }
  })
}

function table(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`${name} is not an object`)
  return value as Record<string, unknown>
}

function text(value: unknown, name: string, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) refuse(`${name} is not valid`)
  return value
}

function refuse(reason: string): never {
  throw new RingwardError('MANIFEST_INVALID', `the publication is refused: ${reason}`)
}
