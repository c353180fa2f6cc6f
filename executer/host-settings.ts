import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { parse } from 'smol-toml'
import { RingwardError, reasonOf } from '../src/errors.ts'

/** What the Executer needs of `/etc/ringward/host.toml`; further keys belong to the agent and are checked by it. */
export interface HostSettings {
  /** Mount point of the shared area. */
  readonly share: string
  /** Network device of the VIP; handed to nobody, but nothing works without it, so it is asked for at the start. */
  readonly device: string
  /** The server's name; else the OS host name is looked up in the servers' `host`. */
  readonly name?: string
  /** systemd unit of the host's own network service, to be watched. */
  readonly network_service?: string
}

/** A kernel device name has 1-15 characters. */
const DEVICE = /^[0-9A-Za-z_][0-9A-Za-z._-]{0,14}$/
const SERVER = /^[0-9a-z][0-9a-z-]{0,62}$/
/** No leading dash: it becomes an argument of systemctl. */
const UNIT = /^[0-9A-Za-z_][0-9A-Za-z:_.@\\-]{0,127}$/

/** @throws RingwardError CONFIGURATION_INVALID with file, line and what to do. */
export async function readHostSettings(file: string): Promise<HostSettings> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new RingwardError('CONFIGURATION_INVALID', `${file}: cannot be read (${reasonOf(error)}); write at least share = "/srv/ringward" and device = "eth0" into it`)
  }
  return parseHostSettings(file, text)
}

export function parseHostSettings(file: string, text: string): HostSettings {
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (error) {
    throw new RingwardError('CONFIGURATION_INVALID', `${file}${position(error)}: is not TOML: ${firstLine(reasonOf(error))}`)
  }
  const read = (key: string, good: (value: string) => boolean, wanted: string): string | undefined => {
    const value = table[key]
    if (value === undefined) return undefined
    if (typeof value === 'string' && good(value)) return value
    throw new RingwardError('CONFIGURATION_INVALID', `${file}:${lineOf(text, key)}: ${key} = ${JSON.stringify(value)} is not ${wanted}; correct it`)
  }
  const needed = (key: string, value: string | undefined, example: string): string => {
    if (value !== undefined) return value
    throw new RingwardError('CONFIGURATION_INVALID', `${file}:1: ${key} is missing; add ${key} = "${example}"`)
  }
  const share = read('share', isAbsolute, 'the absolute path of the shared area')
  const device = read('device', value => DEVICE.test(value), 'the name of a network device')
  const name = read('name', value => SERVER.test(value), 'the name of a server (small letters, digits and dashes)')
  const network_service = read('network_service', value => UNIT.test(value), 'the name of a systemd unit')
  return {
    share: needed('share', share, '/srv/ringward'), device: needed('device', device, 'eth0'),
    ...(name === undefined ? {} : { name }), ...(network_service === undefined ? {} : { network_service }),
  }
}

/** smol-toml's errors carry the line. */
function position(error: unknown): string {
  return error instanceof Error && 'line' in error && typeof error.line === 'number' ? `:${error.line}` : ''
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}

function lineOf(text: string, key: string): number {
  const index = text.split('\n').findIndex(line => new RegExp(`^\\s*"?${key}"?\\s*=`).test(line))
  return index < 0 ? 1 : index + 1
}
