import { access } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { formatProblem } from '../configuration/problem.ts'
import { readHostSettings } from '../configuration/host-settings.ts'
import { placesOf } from '../configuration/places.ts'
import type { Clock } from '../edges/clock.ts'
import { lastLoggedHost } from '../edges/log/log-files.ts'
import { isName } from '../edges/share/share-names.ts'
import { ShareClient } from '../edges/share/share-client.ts'
import type { CliContext } from './context.ts'

/** Beside this program, published and installed alike. */
const HELPER = join(import.meta.dirname, 'share-helper.mjs')

/** The shared area of this host, behind a helper process: the command line itself never touches it. */
export async function openShare(clock: Clock): ReturnType<CliContext['openShare']> {
  const places = placesOf()
  const { settings, problems } = await readHostSettings(places.host_toml)
  const host = settings?.name ?? await lastLoggedHost(places.log) ?? hostname()
  if (!settings) return { host, reason: problems.map(formatProblem).join('; ') }
  if (!await access(HELPER).then(() => true, () => false)) return { host, reason: `${HELPER} is missing; install ringward anew` }
  // The helper names its temporary files after the host; a reader makes none.
  const share = new ShareClient({ directory: settings.share, host: isName(host) ? host : 'cli', helper: [process.execPath, HELPER], clock })
  return { host, share }
}
