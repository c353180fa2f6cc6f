import { hostname } from 'node:os'
import { join } from 'node:path'
import { run, type CommandResult } from '../src/edges/command.ts'
import { parseJson } from '../src/edges/lines.ts'
import { RingwardError } from '../src/errors.ts'
import type { LocalCopy } from './local-copy.ts'
import { isInRing, ownRole } from './own-role.ts'
import type { ExecuterPlaces } from './places.ts'
import type { HostSettings } from './host-settings.ts'

/** It takes 0.2 s on an idle host; a starved one gets its time. */
const CHECK_LIMIT_MS = 15_000

/**
 * Bad configuration never starts: the copy's own `ringward check` on the copy's data (the same path an admin uses), and this host must be in it.
 * @throws RingwardError CONFIGURATION_INVALID; its message has what the check printed (file, line, what to do). NOT_A_MEMBER: it is good, and not for this host.
 */
export async function checkCopy(copy: LocalCopy, settings: HostSettings, places: ExecuterPlaces, signal: AbortSignal): Promise<void> {
  const member = await isInRing(copy.data, settings.name, hostname())
  const result = await run(process.execPath, [join(copy.program, 'ringward.mjs'), 'check', copy.data, ...member ? [] : ['--without-host']], { limit_ms: CHECK_LIMIT_MS, signal, environment: places.environment })
  if (result.status !== 0) throw refused(copy, result)
  if (!member) throw notAMember(copy.version)
  await ownRole(copy.data, settings.name, hostname())
}

/**
 * What keeps the running agent from taking the copy's configuration up without a restart, as sentences; empty when nothing does. The running program
 * judges, for it is the one that goes on.
 * @throws RingwardError CONFIGURATION_INVALID as `checkCopy` does.
 */
export async function checkForRunning(copy: LocalCopy, running: LocalCopy, places: ExecuterPlaces, signal: AbortSignal): Promise<string[]> {
  const result = await run(process.execPath, [join(running.program, 'ringward.mjs'), 'check', copy.data, '--running', running.data, '--json'], { limit_ms: CHECK_LIMIT_MS, signal, environment: places.environment })
  const answer = parseJson(result.stdout)
  const document = typeof answer === 'object' && answer !== null ? answer as { readonly restart?: unknown; readonly problems?: unknown } : {}
  if (result.status !== 0) {
    const problems = Array.isArray(document.problems) ? (document.problems as { file?: string; line?: number; message?: string }[]).map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n') : result.stdout
    throw refused(copy, { ...result, stdout: problems })
  }
  const { restart } = document
  if (!Array.isArray(restart)) throw new RingwardError('CONFIGURATION_INVALID', `the running program does not say whether it can take version ${copy.version} up; set the flag anew`)
  return restart.filter(text => typeof text === 'string')
}

export function notAMember(version: string): RingwardError {
  return new RingwardError('NOT_A_MEMBER', `this host is not in the published ring (version ${version}); add it to group.toml and publish, or take its flag away`)
}

function refused(copy: LocalCopy, result: CommandResult): RingwardError {
  const words = `${result.stdout}\n${result.stderr}`.split('\n').filter(line => line.trim() !== '').map(line => `check: ${line}`)
  return new RingwardError('CONFIGURATION_INVALID', [`the configuration of version ${copy.version} is refused by \`ringward check\` (status ${result.status}); correct it and publish again`, ...words].join('\n'))
}
