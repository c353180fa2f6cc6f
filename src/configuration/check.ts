import { lstat } from 'node:fs/promises'
import { RingwardError } from '../errors.ts'
import { readConfigurationDirectory } from './directory.ts'
import { ownServer, readHostSettings } from './host-settings.ts'
import { libvirtTrouble, type LibvirtTrouble } from '../edges/hypervisor/libvirt-check.ts'
import { checkKeys } from './key-files.ts'
import { pathOf } from './layout.ts'
import { loadConfiguration, type LoadedConfiguration, type LoadOptions } from './load.ts'
import type { Places } from './places.ts'
import { unusablePowerPrograms } from './power-programs.ts'
import { sortProblems, type Problem } from './problem.ts'

export interface CheckOptions extends LoadOptions {
  /** Also check this host's settings and keys, when it has any; with the operating system's host name. */
  readonly local?: { readonly places: Places; readonly hostname: string; readonly libvirt?: () => Promise<LibvirtTrouble | undefined> }
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
  const warnings = [...loaded.warnings]
  if (options.local) {
    const found = await checkHost(options.local, loaded, files)
    problems.push(...found.problems)
    warnings.push(...found.warnings)
  }
  const { inventory } = loaded
  return { files, warnings, problems: sortProblems(problems), ...problems.length === 0 && inventory ? { inventory } : {} }
}

/** A machine without `host.toml` is not a host of a ring: there is nothing to check. */
async function checkHost({ places, hostname, libvirt = libvirtTrouble }: NonNullable<CheckOptions['local']>, loaded: LoadedConfiguration, files: ReadonlyMap<string, string>): Promise<{ readonly problems: Problem[]; readonly warnings: Problem[] }> {
  const file = places.host_toml
  if (!await lstat(file).then(() => true, () => false)) return { problems: [], warnings: [] }
  const { settings, problems } = await readHostSettings(file)
  const found = [...problems, ...(await checkKeys(places)).problems]
  const warnings: Problem[] = []
  if (settings && loaded.inventory) {
    try {
      const self = ownServer(loaded.inventory, settings, hostname)
      warnings.push(...await unusablePowerPrograms(loaded.inventory, self.name, files))
      const trouble = self.hypervisor === 'libvirt' ? await libvirt() : undefined
      // A daemon that does not run now may run later; what is not installed never will.
      if (trouble) (trouble.is_missing ? found : warnings).push({ file: pathOf('servers', self.name), line: 1, message: `hypervisor = "libvirt", but on this host ${trouble.message}. Until then it cannot give the functions of others.` })
    } catch (error) {
      if (!(error instanceof RingwardError)) throw error
      found.push({ file, line: 1, message: error.message })
    }
  }
  return { problems: found, warnings }
}
