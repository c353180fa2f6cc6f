import { hostname } from 'node:os'
import { join } from 'node:path'
import { run } from '../src/edges/command.ts'
import { RingwardError } from '../src/errors.ts'
import type { LocalCopy } from './local-copy.ts'
import { ownRole } from './own-role.ts'
import type { ExecuterPlaces } from './places.ts'
import type { HostSettings } from './host-settings.ts'

/** It takes 0.2 s on an idle host; a starved one gets its time. */
const CHECK_LIMIT_MS = 15_000

/**
 * Bad configuration never starts: the copy's own `ringward check` on the copy's data (the same path an admin uses), and this host must be in it.
 * @throws RingwardError CONFIGURATION_INVALID; its message has what the check printed (file, line, what to do).
 */
export async function checkCopy(copy: LocalCopy, settings: HostSettings, places: ExecuterPlaces, signal: AbortSignal): Promise<void> {
  const result = await run(process.execPath, [join(copy.program, 'ringward.mjs'), 'check', copy.data], { limit_ms: CHECK_LIMIT_MS, signal, environment: places.environment })
  if (result.status !== 0) {
    const words = `${result.stdout}\n${result.stderr}`.split('\n').filter(line => line.trim() !== '').map(line => `check: ${line}`)
    throw new RingwardError('CONFIGURATION_INVALID', [`the configuration of version ${copy.version} is refused by \`ringward check\` (status ${result.status}); correct it and publish again`, ...words].join('\n'))
  }
  await ownRole(copy.data, settings.name, hostname())
}
