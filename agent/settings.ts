import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { readConfigurationDirectory } from '../src/configuration/directory.ts'
import { loadHostSettings, ownServer, type HostSettings } from '../src/configuration/host-settings.ts'
import { loadKeys, type Keys } from '../src/configuration/key-files.ts'
import { loadConfiguration } from '../src/configuration/load.ts'
import { placesOf, type Places } from '../src/configuration/places.ts'
import { formatProblem } from '../src/configuration/problem.ts'
import type { Inventory, Server } from '../src/core/inventory.ts'
import { PROFILES, type Profile } from '../src/core/profile.ts'
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
}

/** `agent.mjs --data DIR --program DIR`: both verified local copies. Bad configuration never starts. */
export async function loadAgentSettings(args: readonly string[]): Promise<AgentSettings> {
  const { values } = parseArgs({ args: [...args], options: { data: { type: 'string' }, program: { type: 'string' } } })
  const { data, program } = values
  if (data === undefined || program === undefined) throw new RingwardError('USAGE', 'the agent needs --data DIR and --program DIR; the Executer gives them')
  const places = placesOf()
  const { files, problems } = await readConfigurationDirectory(data)
  const loaded = loadConfiguration(files, { version: basename(data) })
  const [problem] = [...problems, ...loaded.problems]
  if (!loaded.inventory || problem) {
    throw new RingwardError('CONFIGURATION_INVALID', `the configuration in ${data} is not valid: ${problem ? formatProblem(problem) : 'no servers'}; run "ringward check ${data}"`)
  }
  const host = await loadHostSettings(places.host_toml)
  return {
    places, host, keys: await loadKeys(places), inventory: loaded.inventory, self: ownServer(loaded.inventory, host, hostname()),
    profile: PROFILES[loaded.inventory.profile], program: join(program),
  }
}
