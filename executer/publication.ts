import { hasExpired, MANIFEST_LIMIT_BYTES, parseManifest, verifyBytes, type Manifest, type ManifestEntry } from '../src/configuration/manifest.ts'
import type { Share } from '../src/edges/share/share.ts'
import { RingwardError } from '../src/errors.ts'

/** All the Executer ever does with the shared area. */
export type PublicationSource = Pick<Share, 'readAt'>

/** Small enough for a read to meet its deadline over a slow network (128 KB at 1 Mbit/s take 1 s), large enough that a 4 MB program takes few. */
const PIECE_BYTES = 128 * 1024
/** An answering share answers in milliseconds, the first time after the start of the helper (1 s on a starved host); a host that starts must not wait long for a dead one. */
const READ_LIMIT_MS = 3_000
/** Five bundles of 1-4 MB and the files of 256 servers are 20 MB; the limit keeps a wrong publication from filling the disk. */
const TOTAL_LIMIT_BYTES = 256 * 1024 * 1024
/** What the Executer itself runs: a publication without one of them is not begun. */
const PROGRAMS_NEEDED = ['agent.mjs', 'guard.mjs', 'share-helper.mjs', 'ringward.mjs'] as const

export interface Publication {
  readonly manifest: Manifest
  /** The very bytes that were parsed; kept beside the local copy. */
  readonly manifest_bytes: Buffer
}

/**
 * The newest publication's manifest.
 * @throws RingwardError MANIFEST_INVALID when it is absent, malformed, incomplete or expired; SHARE_TIMEOUT or SHARE_ERROR.
 */
export async function readPublication(share: PublicationSource, now: Date, signal: AbortSignal): Promise<Publication> {
  const manifest_bytes = await readWhole(share, 'manifest.json', MANIFEST_LIMIT_BYTES, signal)
  if (manifest_bytes.length === 0) throw refused('the shared area has no manifest.json: is it mounted, and was `ringward publish` run?')
  const manifest = parseManifest(manifest_bytes)
  const { version, expires, program, data } = manifest
  if (hasExpired(manifest, now)) throw refused(`publication ${version} expired at ${expires} (this host's clock says ${now.toISOString()}); publish again, or set the clock`)
  const total = [...program.files, ...data.files].reduce((sum, entry) => sum + entry.size, 0)
  if (total > TOTAL_LIMIT_BYTES) throw refused(`publication ${version} has ${total} bytes, more than ${TOTAL_LIMIT_BYTES}; publish the built program only`)
  const missing = PROGRAMS_NEEDED.filter(name => !program.files.some(entry => entry.path === name))
  if (missing.length > 0) throw refused(`publication ${version} has no ${missing.join(', ')}; build the program and publish again`)
  return { manifest, manifest_bytes }
}

/**
 * Reads one published file once, and verifies those bytes: nobody can change them between verification and use.
 * @throws RingwardError MANIFEST_INVALID when size or hash differ.
 */
export async function readVerified(share: PublicationSource, path: string, entry: ManifestEntry, signal: AbortSignal): Promise<Buffer> {
  const bytes = await readWhole(share, path, entry.size, signal)
  verifyBytes(entry, bytes)
  return bytes
}

/** Reads to the end of the file, but at most one byte more than `limit` (which shows that it is too long). */
async function readWhole(share: PublicationSource, path: string, limit: number, signal: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = []
  let offset = 0
  while (offset <= limit) {
    const wanted = Math.min(PIECE_BYTES, limit + 1 - offset)
    const piece = await share.readAt(path, offset, wanted, { deadline_ms: READ_LIMIT_MS, signal })
    // A short read is the end only if it is empty: the helper may give less than it was asked for.
    if (piece.length === 0) break
    pieces.push(piece)
    offset += piece.length
  }
  return Buffer.concat(pieces)
}

function refused(reason: string): RingwardError {
  return new RingwardError('MANIFEST_INVALID', reason)
}
