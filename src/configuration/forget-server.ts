import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, RingwardError } from '../errors.ts'
import { readConfigurationDirectory } from './directory.ts'
import { replaceFile, syncDirectory } from './durable-file.ts'
import { GROUP_FILE, pathOf } from './layout.ts'
import { withoutServer } from './list-edit.ts'
import { loadConfiguration } from './load.ts'
import { formatProblem } from './problem.ts'
import { publish, type Publication, type PublishOptions } from './publish.ts'

/** Beside the configuration, looked at by nobody: moved back from here, a server can join again. */
export const FORGOTTEN_FOLDER = 'forgotten'

export interface Forgotten {
  readonly publication: Publication | undefined
  /** Where its files are now. */
  readonly kept: readonly string[]
  readonly servers: readonly string[]
}

/**
 * Takes a server out of the ring for good: its name leaves group.toml, its record and identity are put aside, and what is left is published. Everything is
 * checked before anything is written. Rejects with USAGE (no such server) or CONFIGURATION_INVALID.
 */
export async function forgetServer(directory: string, name: string, program_directory: string, options: PublishOptions): Promise<Forgotten> {
  const { files } = await readConfigurationDirectory(directory)
  const group = files.get(GROUP_FILE)
  if (group === undefined) throw new RingwardError('CONFIGURATION_INVALID', `${directory} holds no ${GROUP_FILE}; is the shared area mounted?`)
  const moved = [pathOf('servers', name), pathOf('identities', name)].filter(path => files.has(path))
  const standing = loadConfiguration(files).inventory?.servers.map(server => server.name)
  if (standing && !standing.includes(name)) throw new RingwardError('USAGE', `there is no server ${name} in the ring, which has ${standing.join(', ')}`)
  const text = withoutServer(group, name)
  const rest = new Map([...files].filter(([path]) => !moved.includes(path)))
  const { inventory, problems } = loadConfiguration(rest.set(GROUP_FILE, text))
  if (!inventory) throw new RingwardError('CONFIGURATION_INVALID', `nothing was changed; without ${name} the configuration would not be valid:\n${problems.map(formatProblem).join('\n')}`)
  const result = { kept: moved.map(path => join(FORGOTTEN_FOLDER, path)), servers: inventory.servers.map(server => server.name) }
  if (options.dry_run) return { ...result, publication: undefined }
  await replaceFile(join(directory, GROUP_FILE), text, 0o644)
  for (const path of moved) await putAside(directory, path)
  try {
    return { ...result, publication: await publish(directory, program_directory, options) }
  } catch (error) {
    throw new RingwardError('MANIFEST_INVALID', `${name} is out of ${GROUP_FILE}, but nothing was published yet: ${reasonOf(error)}; run "ringward publish ${directory}"`, { cause: error })
  }
}

async function putAside(directory: string, path: string): Promise<void> {
  const target = join(directory, FORGOTTEN_FOLDER, path)
  const folder = join(target, '..')
  await mkdir(folder, { recursive: true, mode: 0o755 })
  await rename(join(directory, path), target)
  await syncDirectory(folder)
}
