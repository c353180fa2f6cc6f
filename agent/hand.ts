import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Server } from '../src/core/inventory.ts'
import { readConfigurationDirectory } from '../src/configuration/directory.ts'
import { loadHostSettings, ownServer } from '../src/configuration/host-settings.ts'
import { loadConfiguration } from '../src/configuration/load.ts'
import { versionNumber } from '../src/configuration/manifest.ts'
import { placesOf, type Places } from '../src/configuration/places.ts'
import { formatProblem } from '../src/configuration/problem.ts'
import { run } from '../src/edges/command.ts'
import { parseJson } from '../src/edges/lines.ts'
import { obey } from '../src/edges/remote-hand/forced-command.ts'
import { barByGuard } from '../src/edges/remote-hand/guard-bar.ts'
import { formatAnswer } from '../src/edges/remote-hand/hand-words.ts'
import { RingwardError } from '../src/errors.ts'

// The forced command of the remote hand, in authorized_keys: restrict,command="node …/hand.mjs" ssh-ed25519 AAAA…
// Reads only local, verified copies: it must work while the shared area hangs.

/** This host's record in the last good copy of the configuration. */
async function ownRecord(places: Places): Promise<Server> {
  const current = parseJson(await readFile(places.current, 'utf8'))
  const version = typeof current === 'object' && current !== null && 'version' in current ? current.version : undefined
  if (typeof version !== 'string' || versionNumber(version) === undefined) {
    throw new RingwardError('CONFIGURATION_INVALID', `${places.current} names no version; let the Executer fetch the publication again`)
  }
  const { files, problems } = await readConfigurationDirectory(join(places.data, version))
  const loaded = loadConfiguration(files, { version })
  const [problem] = [...problems, ...loaded.problems]
  if (!loaded.inventory || problem) throw new RingwardError('CONFIGURATION_INVALID', `version ${version}: ${problem ? formatProblem(problem) : 'not valid'}`)
  return ownServer(loaded.inventory, await loadHostSettings(places.host_toml), hostname())
}

const places = placesOf()
const original = process.env['SSH_ORIGINAL_COMMAND']
const result = await obey(original, {
  daemons: async () => (await ownRecord(places)).daemons.map(daemon => daemon.name),
  ownVip: async function_name => {
    const server = await ownRecord(places)
    return server.name === function_name ? server.vip : undefined
  },
  bar: (function_name, epoch) => barByGuard(places.guard_socket, function_name, epoch),
  run: (program, args, limit_ms) => run(program, args, { limit_ms }),
  flag_file: places.flag,
})
if (!result.ok) process.stderr.write(`ringward-hand: ${JSON.stringify(original ?? '').slice(0, 200)}: ${result.detail}\n`)
process.stdout.write(formatAnswer(result))
process.exitCode = result.ok ? 0 : 1
