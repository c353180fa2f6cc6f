import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { readConfigurationDirectory } from '../src/configuration/directory.ts'
import { loadHostSettings, ownServer, type HostSettings } from '../src/configuration/host-settings.ts'
import { loadKeys, type Keys } from '../src/configuration/key-files.ts'
import { loadConfiguration } from '../src/configuration/load.ts'
import { COPIED_MANIFEST, parseManifest, programDigest, versionNumber } from '../src/configuration/manifest.ts'
import { placesOf, type Places } from '../src/configuration/places.ts'
import { formatProblem } from '../src/configuration/problem.ts'
import { restartNeeded } from '../src/configuration/restart-needed.ts'
import type { Inventory, Server } from '../src/core/inventory.ts'
import type { RunningProgram } from '../src/core/message.ts'
import { PROFILES, type Profile } from '../src/core/profile.ts'
import { parseJson } from '../src/edges/lines.ts'
import { RingwardError } from '../src/errors.ts'

export interface AgentSettings {
  readonly places: Places
  readonly host: HostSettings
  readonly keys: Keys
  readonly inventory: Inventory
  readonly self: Server
  readonly profile: Profile
  /** Folder of the verified program: the share helper's bundle is there. */
  readonly program: string
  readonly running: RunningProgram | undefined
}

/** `agent.mjs --data DIR --program DIR`: both verified local copies. Bad configuration never starts. */
export async function loadAgentSettings(args: readonly string[]): Promise<AgentSettings> {
  const { values } = parseArgs({ args: [...args], options: { data: { type: 'string' }, program: { type: 'string' } } })
  const { data, program } = values
  if (data === undefined || program === undefined) throw new RingwardError('USAGE', 'the agent needs --data DIR and --program DIR; the Executer gives them')
  const places = placesOf()
  const inventory = await loadInventory(data)
  const host = await loadHostSettings(places.host_toml)
  return { places, host, keys: await loadKeys(places), inventory, self: ownServer(inventory, host, hostname()), profile: PROFILES[inventory.profile], program, running: await runningProgram(program) }
}

/** By the manifest that the Executer has verified these files against. It serves an alert alone: without it the agent runs as well. */
async function runningProgram(program: string): Promise<RunningProgram | undefined> {
  try {
    const manifest = parseManifest(await readFile(join(program, COPIED_MANIFEST)))
    return { version: manifest.version, digest: programDigest(manifest) }
  } catch {
    return undefined
  }
}

async function loadInventory(data: string): Promise<Inventory> {
  const { files, problems } = await readConfigurationDirectory(data)
  const loaded = loadConfiguration(files, { version: basename(data) })
  const [problem] = [...problems, ...loaded.problems]
  if (loaded.inventory && !problem) return loaded.inventory
  throw new RingwardError('CONFIGURATION_INVALID', `the configuration in ${data} is not valid: ${problem ? formatProblem(problem) : 'no servers'}; run "ringward check ${data}"`)
}

/** The inventory of the copy that was last found good, when a running agent may take it up. Rejects with CONFIGURATION_INVALID and all reasons why not. */
export async function loadNewerInventory(places: Places, running: Inventory, self: string): Promise<Inventory> {
  const current = parseJson(await readFile(places.current, 'utf8'))
  const version = typeof current === 'object' && current !== null && 'version' in current ? current.version : undefined
  if (typeof version !== 'string' || versionNumber(version) === undefined) throw new RingwardError('CONFIGURATION_INVALID', `${places.current} names no version; let the Executer fetch the publication again`)
  const inventory = await loadInventory(join(places.data, version))
  const against = restartNeeded(running, inventory, self)
  if (!inventory.servers.some(server => server.name === self)) against.push(`${self} is not in it`)
  if (against.length > 0) throw new RingwardError('CONFIGURATION_INVALID', `version ${version} cannot be taken up while management runs: ${against.join('; ')}`)
  return inventory
}
