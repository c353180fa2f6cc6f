import { lstat, mkdir, readFile } from 'node:fs/promises'
import { dirname, join as joinPath } from 'node:path'
import { reasonOf, RingwardError, whenAbsent } from '../errors.ts'
import { readConfigurationDirectory } from './directory.ts'
import { replaceFile } from './durable-file.ts'
import { ownServer, type HostSettings } from './host-settings.ts'
import { createIdentity, readIdentity } from './identity.ts'
import { classify, pathOf } from './layout.ts'
import { loadConfiguration } from './load.ts'
import { formatProblem } from './problem.ts'
import { readSshKey } from './values.ts'

export interface JoinOptions {
  readonly settings: HostSettings
  /** This host's key; made when it is missing. */
  readonly identity_key: string
  readonly hostname: string
  /** Usually `/etc/ssh/ssh_host_ed25519_key.pub`. */
  readonly ssh_host_key: string
  /** A host that was set up afresh has new keys: replace what an earlier join wrote. */
  readonly replace?: boolean
}

export interface Joined {
  readonly name: string
  readonly peer_id: string
  readonly ssh_host_key: string
  /** The file in the shared area. */
  readonly file: string
  /** False when the same identity was there already. */
  readonly changed: boolean
}

/**
 * Announces this host to the ring: makes its identity when it has none and writes it, with its SSH host key, to
 * `identities/` of the shared area. It counts only after the operator's next publication.
 * Rejects with CONFIGURATION_INVALID, KEY_UNREADABLE or IDENTITY_TAKEN (another identity is there).
 */
export async function join(options: JoinOptions): Promise<Joined> {
  const { settings } = options
  // What an earlier join left is about to be replaced: it must not stand in the way.
  const directory = await readConfigurationDirectory(settings.share)
  const { inventory, problems } = loadConfiguration(new Map([...directory.files].filter(([path]) => classify(path)?.kind !== 'identities')))
  if (!inventory) throw new RingwardError('CONFIGURATION_INVALID', `the configuration in ${settings.share} must be corrected first:\n${problems.map(formatProblem).join('\n')}`)
  const { name } = ownServer(inventory, settings, options.hostname)
  const ssh_host_key = await hostKey(options.ssh_host_key)
  const peer_id = await ownIdentity(options.identity_key)
  const file = joinPath(settings.share, pathOf('identities', name))
  const text = `${JSON.stringify({ schema: 'ringward.identity/1', peer_id, ssh_host_key })}\n`
  const present = await readFile(file, 'utf8').catch(whenAbsent(undefined))
  if (present === text) return { name, peer_id, ssh_host_key, file, changed: false }
  if (present !== undefined && !options.replace) {
    throw new RingwardError('IDENTITY_TAKEN', `${file} holds another identity for ${name}; if this host was set up afresh, join again and ask for the replacement`)
  }
  await mkdir(dirname(file), { recursive: true })
  await replaceFile(file, text, 0o644)
  return { name, peer_id, ssh_host_key, file, changed: true }
}

async function hostKey(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new RingwardError('KEY_UNREADABLE', `the SSH host key ${file} cannot be read: ${reasonOf(error)}; install openssh-server, or run "ssh-keygen -A"`)
  })
  const reading = readSshKey(text)
  if ('value' in reading) return reading.value
  throw new RingwardError('KEY_UNREADABLE', `${file} ${reading.wrong}; run "ssh-keygen -A"`)
}

async function ownIdentity(file: string): Promise<string> {
  if (await lstat(file).then(() => true, () => false)) return readIdentity(file)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  return createIdentity(file)
}
