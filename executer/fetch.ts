import { versionNumber } from '../src/configuration/manifest.ts'
import type { Places } from '../src/configuration/places.ts'
import { within } from '../src/edges/within.ts'
import { RingwardError, reasonOf } from '../src/errors.ts'
import type { Share } from '../src/edges/share/share.ts'
import { installCopy, openCopy, pruneCopies, readCurrent, writeCurrent, type LocalCopy } from './local-copy.ts'
import type { Log } from './log.ts'
import { readPublication, readVerified, type Publication, type PublicationSource } from './publication.ts'

/** A share that answers each read just in time must not hold a start or a newer publication back for ever: 30 s are 4 MB at 1 Mbit/s. */
export const FETCH_LIMIT_MS = 30_000

type CopyParts = Pick<FetchParts, 'places' | 'log'>

export interface FetchParts {
  readonly places: Places
  readonly log: Log
  /** A share helper of its own for each fetch: a hung one is abandoned with it. */
  readonly openShare: () => Pick<Share, 'readAt' | 'close'>
  readonly wall: () => Date
  /** Rejects with CONFIGURATION_INVALID when the copy must not be started. */
  readonly check: (copy: LocalCopy, signal: AbortSignal) => Promise<void>
}

/**
 * The copy to run: the newest publication when it can be fetched, verified and passes the check; else, loudly, the last good one.
 * @throws RingwardError when neither may be started; its message says why.
 */
export async function goodCopy(parts: FetchParts, signal: AbortSignal): Promise<LocalCopy> {
  const { places, log } = parts
  const current = await readCurrent(places)
  try {
    const copy = await newestCopy(parts, current, signal)
    await parts.check(copy, signal).catch((error: unknown) => takenOut(parts, copy, error))
    if (copy.version !== current) {
      await writeCurrent(places, copy.version)
      log.info(`version ${copy.version} is the last good one now${current === undefined ? '' : ` (was ${current})`}`)
    }
    await pruneCopies(places, [copy.version])
    return copy
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof RingwardError && error.code === 'NOT_A_MEMBER') throw error
    if (current === undefined) throw new RingwardError('MANIFEST_INVALID', `this host has no earlier good copy, and ${reasonOf(error)}`, { cause: error })
    log.warn(`THE NEWEST PUBLICATION IS NOT USED: ${reasonOf(error)}`)
  }
  const { copy } = await openCopy(places, current)
  await parts.check(copy, signal)
  log.warn(`starting from the last good copy, version ${current}`)
  return copy
}

/** Whoever was taken out of the ring never goes back to the copy in which it was a member, not even while the share is away. */
async function takenOut({ places }: FetchParts, copy: LocalCopy, error: unknown): Promise<never> {
  if (error instanceof RingwardError && error.code === 'NOT_A_MEMBER') await writeCurrent(places, copy.version)
  throw error
}

/** Fetches what is published, unless the same is here already. */
async function newestCopy(parts: FetchParts, current: string | undefined, signal: AbortSignal): Promise<LocalCopy> {
  const share = parts.openShare()
  try {
    return await within(FETCH_LIMIT_MS, [signal], limited => fetchFrom(parts, share, current, limited))
  } finally {
    await share.close()
  }
}

async function fetchFrom(parts: FetchParts, share: PublicationSource, current: string | undefined, limited: AbortSignal): Promise<LocalCopy> {
  return await fetchPublication(parts, share, await readPublication(share, parts.wall(), limited), current, limited)
}

/** The local copy of that publication, fetched and verified unless it is here. */
export async function fetchPublication(parts: CopyParts, share: PublicationSource, publication: Publication, current: string | undefined, limited: AbortSignal): Promise<LocalCopy> {
  const { version } = publication.manifest
  if (current !== undefined && numberOf(version) < numberOf(current)) {
    throw new RingwardError('MANIFEST_INVALID', `version ${version} is published, but ${current} was here before; versions go forward only: publish under a higher version`)
  }
  const standing = await standingCopy(parts, publication, current)
  if (standing) return standing
  return await install(parts, share, publication, limited)
}

async function install(parts: CopyParts, share: PublicationSource, publication: Publication, signal: AbortSignal): Promise<LocalCopy> {
  const { manifest, manifest_bytes } = publication
  const copy = await installCopy(parts.places, manifest, manifest_bytes, (path, entry) => readVerified(share, path, entry, signal))
  parts.log.info(`fetched and verified version ${manifest.version}: ${manifest.program.files.length} program files, ${manifest.data.files.length} data files, created ${manifest.created}`)
  return copy
}

/**
 * The local copy of the published version, if it is whole and the very same.
 * @throws RingwardError MANIFEST_INVALID when the last good version was published again with other content.
 */
async function standingCopy(parts: CopyParts, publication: Publication, current: string | undefined): Promise<LocalCopy | undefined> {
  const { version } = publication.manifest
  let standing
  try {
    standing = await openCopy(parts.places, version)
  } catch (error) {
    if (version === current) parts.log.warn(`${reasonOf(error)}; fetching it again`)
    return undefined
  }
  if (standing.manifest_bytes.equals(publication.manifest_bytes)) return standing.copy
  // A copy that was never found good (its check failed) may be corrected under its own number.
  if (version !== current) return undefined
  throw new RingwardError('MANIFEST_INVALID', `version ${version} was published again with other content; publish under a higher version`)
}

function numberOf(version: string): number {
  return versionNumber(version) ?? 0
}
