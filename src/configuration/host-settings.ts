import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import type { Inventory, Server } from '../core/inventory.ts'
import { reasonOf, RingwardError } from '../errors.ts'
import { ownName } from './own-name.ts'
import { formatProblem, sortProblems, type Problem } from './problem.ts'
import { commandWords, reads } from './schema.ts'
import { parseToml } from './toml-file.ts'
import { validate } from './validate.ts'
import { readAbsolutePath, readDevice, readName, readUnit } from './values.ts'

/** What only this host knows: `/etc/ringward/host.toml`. */
export interface HostSettings {
  /** Mount point of the shared area. */
  readonly share: string
  /** Network device of the VIP. */
  readonly device: string
  /** This host's server; without it the operating system's host name is looked up in the servers' `host`. */
  readonly name?: string
  /** The unit the Executer restarts when the network is gone. */
  readonly network_service?: string
  /** Bridge for virtual servers. */
  readonly bridge?: string
  /** Told of lost protection: a program by its absolute path, with arguments. */
  readonly alert_command?: readonly string[]
}

const hostSchema = z.strictObject({
  share: reads(readAbsolutePath).describe('Write the mount point of the shared area, for example share = "/srv/ringward".'),
  device: reads(readDevice).describe('Write the network device of the VIP as "ip link" shows it, for example device = "eth0".'),
  name: reads(readName).optional().describe('Write the name of this host\'s file in servers/ without ".toml", or leave it out.'),
  network_service: reads(readUnit).optional().describe('Write the service that runs the network, for example network_service = "systemd-networkd".'),
  bridge: reads(readDevice).optional().describe('Write the bridge that virtual servers are attached to, for example bridge = "br0".'),
  alert_command: commandWords.optional().describe('Write the program by its absolute path and its arguments as a list, for example alert_command = ["/usr/local/bin/tell", "admin"], or leave it out.'),
})

/** A handful of lines. */
const HOST_TOML_LIMIT_BYTES = 16 * 1024

/** Checks the text of the local settings. */
export function parseHostSettings(file: string, text: string): { readonly settings?: HostSettings; readonly problems: readonly Problem[] } {
  const { toml, problem } = parseToml(file, text)
  if (!toml) return { problems: problem ? [problem] : [] }
  const { value, problems } = validate(toml, hostSchema)
  if (!value) return { problems: sortProblems(problems) }
  const { share, device, name, network_service, bridge, alert_command } = value
  return {
    settings: Object.freeze({ share, device, ...name === undefined ? {} : { name }, ...network_service === undefined ? {} : { network_service }, ...bridge === undefined ? {} : { bridge }, ...alert_command === undefined ? {} : { alert_command } }),
    problems: [],
  }
}

/** Reads and checks the local settings; a file that is missing or unreadable is a problem too. */
export async function readHostSettings(file: string): Promise<{ readonly settings?: HostSettings; readonly problems: readonly Problem[] }> {
  let handle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = await handle.stat()
    if (!status.isFile() || status.size > HOST_TOML_LIMIT_BYTES) {
      return { problems: [{ file, line: 1, message: `this is not a regular file of at most ${HOST_TOML_LIMIT_BYTES / 1024} KiB. Replace it.` }] }
    }
    return parseHostSettings(file, await handle.readFile('utf8'))
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { problems: [{ file, line: 1, message: missing ? 'the file is missing. Write it with share = "/srv/ringward" and device = "eth0".' : `the file cannot be read: ${reasonOf(error)}. Run as root, or correct its permissions.` }] }
  } finally {
    await handle?.close()
  }
}

/** Like `readHostSettings`, for a start: rejects with CONFIGURATION_INVALID and all problems. */
export async function loadHostSettings(file: string): Promise<HostSettings> {
  const { settings, problems } = await readHostSettings(file)
  if (settings) return settings
  throw new RingwardError('CONFIGURATION_INVALID', problems.map(formatProblem).join('\n'))
}

/** This host's own record, by the name in its settings or by its host name. Throws CONFIGURATION_INVALID when there is none. */
export function ownServer(inventory: Inventory, settings: HostSettings, hostname: string): Server {
  const name = ownName(inventory.servers, settings.name, hostname)
  const found = inventory.servers.find(server => server.name === name)
  if (!found) throw new RingwardError('INTERNAL', `no server ${name} in the inventory`)
  if (!found.agent) throw new RingwardError('CONFIGURATION_INVALID', `the record of ${name} says agent = false, so ringward must not run on this host; remove it there, or remove ringward here`)
  return found
}
