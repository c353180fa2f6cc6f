import { setTimeout as sleep } from 'node:timers/promises'
import { hostname } from 'node:os'
import { versionNumber } from '../src/configuration/manifest.ts'
import { within } from '../src/edges/within.ts'
import { RingwardError, reasonOf } from '../src/errors.ts'
import { checkForRunning } from './check.ts'
import { FETCH_LIMIT_MS, fetchPublication, type FetchParts } from './fetch.ts'
import { pruneCopies, publishedProgram, writeCurrent } from './local-copy.ts'
import { unrepeated, type Log } from './log.ts'
import { isInRing } from './own-role.ts'
import type { ExecuterPlaces } from './places.ts'
import { readPublication, type Publication } from './publication.ts'
import type { Supervisor } from './supervisor.ts'

/** A new server is in the ring within seconds of its publication; one small read each time. */
const LOOK_MS = 5_000
const LOOK_LIMIT_MS = 4_000
/** A minute. */
const REFUSED_LOOKS = 12

export interface FollowParts {
  readonly places: ExecuterPlaces
  readonly log: Log
  readonly wall: () => Date
  readonly openShare: (share: string, quiet: boolean) => ReturnType<FetchParts['openShare']>
}

/**
 * While management runs: looks for a newer publication and hands its configuration to the running agent. A share that is away is looked at
 * again, without a word: guard and agent say enough of it. Resolves at the abort, or with `not a member` when this host was taken out of the ring.
 */
export async function followPublications(parts: FollowParts, supervisor: Supervisor, signal: AbortSignal): Promise<'over' | 'not a member'> {
  const log = unrepeated(parts.log)
  const share = parts.openShare(supervisor.settings.share, true)
  /** The manifest that has been dealt with. A refused one is looked at again after a while: what it lists may have been put right. */
  let dealt_with: Buffer | undefined
  let refused_looks = 0
  try {
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) break
      try {
        const publication = await within(LOOK_LIMIT_MS, [signal], limited => readPublication(share, parts.wall(), limited))
        if (refused_looks > 0 && (refused_looks -= 1) === 0) dealt_with = undefined
        if (dealt_with?.equals(publication.manifest_bytes) === true || !isNewer(publication, supervisor, log)) continue
        dealt_with = publication.manifest_bytes
        const outcome = await takeUp({ ...parts, log }, share, publication, supervisor, signal)
        if (outcome === 'not a member') return outcome
      } catch (error) {
        if (signal.aborted) break
        if (isOfTheShare(error)) {
          dealt_with = undefined
          continue
        }
        refused_looks = REFUSED_LOOKS
        log.warn(`A NEWER PUBLICATION IS REFUSED, version ${supervisor.copy.version} goes on: ${reasonOf(error)}`)
      }
    }
  } finally {
    await share.close()
  }
  return 'over'
}

function isOfTheShare(error: unknown): boolean {
  const code = error instanceof RingwardError ? error.code : undefined
  return code === 'SHARE_TIMEOUT' || code === 'SHARE_ERROR' || code === 'ABORTED'
}

function isNewer({ manifest }: Publication, { copy }: Supervisor, log: Log): boolean {
  const [published, running] = [versionNumber(manifest.version) ?? 0, versionNumber(copy.version) ?? 0]
  if (published < running) log.warn(`version ${manifest.version} is published, but ${copy.version} runs here; versions go forward only: publish under a higher version`)
  return published > running
}

async function takeUp(parts: FollowParts, share: ReturnType<FetchParts['openShare']>, publication: Publication, supervisor: Supervisor, signal: AbortSignal): Promise<'taken up' | 'not a member'> {
  const { places, log } = parts
  const { settings } = supervisor
  const running = supervisor.copy
  const copy = await within(FETCH_LIMIT_MS, [signal], limited => fetchPublication(parts, share, publication, running.version, limited))
  const restart = await checkForRunning(copy, running, places, signal)
  const member = await isInRing(copy.data, settings.name, hostname())
  await writeCurrent(places, copy.version)
  await pruneCopies(places, [copy.version, supervisor.program_version, running.version])
  if (!member) return 'not a member'
  if (restart.length > 0) {
    log.warn(`VERSION ${copy.version} IS NOT TAKEN UP WHILE MANAGEMENT RUNS (${restart.join('; ')}); version ${running.version} goes on until \`ringward flag off --wait && ringward flag on --wait\` on this host`)
    return 'taken up'
  }
  const same_program = JSON.stringify(await publishedProgram(running)) === JSON.stringify(publication.manifest.program.files)
  supervisor.takeUp(copy.version, copy.data)
  log.info(`version ${copy.version} is taken up by the running agent (was ${running.version})${same_program ? '' : '; its program is another one and is started when the flag is set anew'}`)
  return 'taken up'
}
