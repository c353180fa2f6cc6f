import { lstat } from 'node:fs/promises'
import { RingwardError } from '../errors.ts'
import { readConfigurationDirectory } from './directory.ts'
import { ownServer, readHostSettings } from './host-settings.ts'
import { checkKeys } from './key-files.ts'
import { loadConfiguration, type LoadedConfiguration, type LoadOptions } from './load.ts'
import type { Places } from './places.ts'
import { sortProblems, type Problem } from './problem.ts'

export interface CheckOptions extends LoadOptions {
  /** Also check this host's settings and keys, when it has any; with the operating system's host name. */
  readonly local?: { readonly places: Places; readonly hostname: string }
}

export interface Check extends LoadedConfiguration {
  /** Path → text, as it was checked. */
  readonly files: ReadonlyMap<string, string>
}

/** Checks a directory with the configuration, by the same path as a start. Nothing is changed. */
export async function runCheck(directory: string, options: CheckOptions = {}): Promise<Check> {
  const { files, problems: reading } = await readConfigurationDirectory(directory)
  const loaded = loadConfiguration(files, options)
  // A file that could not be read is not also missing.
  const unreadable = new Set(reading.map(problem => problem.file))
  const problems = [...reading, ...loaded.problems.filter(problem => !unreadable.has(problem.file))]
  if (options.local) problems.push(...await checkHost(options.local.places, options.local.hostname, loaded))
  const { inventory } = loaded
  return { files, warnings: loaded.warnings, problems: sortProblems(problems), ...problems.length === 0 && inventory ? { inventory } : {} }
}

/** A machine without `host.toml` is not a host of a ring: there is nothing to check. */
async function checkHost(places: Places, hostname: string, loaded: LoadedConfiguration): Promise<Problem[]> {
  const file = places.host_toml
  if (!await lstat(file).then(() => true, () => false)) return []
  const { settings, problems } = await readHostSettings(file)
  const found = [...problems, ...(await checkKeys(places)).problems]
  if (settings && loaded.inventory) {
    try {
      ownServer(loaded.inventory, settings, hostname)
    } catch (error) {
      if (!(error instanceof RingwardError)) throw error
      found.push({ file, line: 1, message: error.message })
    }
  }
  return found
}
