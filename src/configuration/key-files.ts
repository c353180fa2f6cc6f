import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { reasonOf, RingwardError } from '../errors.ts'
import { wrongWithHandKey } from './hand-key.ts'
import type { Places } from './places.ts'
import { formatProblem, type Problem } from './problem.ts'

/** The three keys of a host, as bytes. */
export interface Keys {
  readonly identity_key: Uint8Array
  readonly ring_psk: Uint8Array
  readonly hand_key: Uint8Array
}

interface KeyFile {
  readonly key: keyof Keys
  readonly what: string
  readonly limit_bytes: number
  /** What makes these bytes no such key; nothing when they are one. */
  readonly wrongWith: (bytes: Buffer) => string | undefined
  readonly advice: string
}

const NO_SUCH_KEY = 'its content is not such a key'

const KEY_FILES: readonly KeyFile[] = [
  {
    // Key type ed25519, then 64 bytes: libp2p's protobuf of a private key has 68 bytes.
    key: 'identity_key', what: 'the identity of this host', limit_bytes: 68,
    wrongWith: bytes => bytes.length === 68 && bytes.subarray(0, 4).equals(Buffer.from([8, 1, 18, 64])) ? undefined : NO_SUCH_KEY,
    advice: 'Remove it and run "ringward join" on this host, then "ringward publish".',
  },
  {
    // 95 bytes, and perhaps a line end.
    key: 'ring_psk', what: 'the ring\'s pre-shared key', limit_bytes: 96,
    wrongWith: bytes => /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n?$/.test(bytes.toString('latin1')) ? undefined : NO_SUCH_KEY,
    advice: 'Copy ring.psk from the keys that "ringward init" made.',
  },
  {
    key: 'hand_key', what: 'the ring\'s SSH key', limit_bytes: 16 * 1024,
    wrongWith: bytes => bytes.toString('latin1').startsWith('-----BEGIN OPENSSH PRIVATE KEY-----\n') ? wrongWithHandKey(bytes) : NO_SUCH_KEY,
    advice: 'Copy hand_key from the keys that "ringward init" made; if that one is damaged as well, make a new pair with "ssh-keygen -t ed25519 -N \'\'" for all hosts.',
  },
]

/** Reads the keys and says what is wrong with each that cannot be used. */
export async function checkKeys(places: Places): Promise<{ readonly keys?: Keys; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = []
  const read: Partial<Record<keyof Keys, Uint8Array>> = {}
  for (const kind of KEY_FILES) {
    const file = places[kind.key]
    const result = await readKey(file, kind)
    if ('bytes' in result) read[kind.key] = result.bytes
    else problems.push({ file, line: 1, message: `${kind.what} cannot be used: ${result.wrong}` })
  }
  const { identity_key, ring_psk, hand_key } = read
  return identity_key && ring_psk && hand_key ? { keys: { identity_key, ring_psk, hand_key }, problems } : { problems }
}

/** Like `checkKeys`, for a start: rejects with KEY_UNREADABLE and every key that cannot be used. */
export async function loadKeys(places: Places): Promise<Keys> {
  const { keys, problems } = await checkKeys(places)
  if (keys) return keys
  throw new RingwardError('KEY_UNREADABLE', problems.map(formatProblem).join('\n'))
}

async function readKey(file: string, kind: KeyFile): Promise<{ readonly bytes: Uint8Array } | { readonly wrong: string }> {
  let handle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const status = await handle.stat()
    const wrong = wrongOwner(file, status)
    if (wrong !== undefined) return { wrong }
    if (status.size === 0 || status.size > kind.limit_bytes) return { wrong: `it has ${status.size} bytes, which is not the size of such a key. ${kind.advice}` }
    const bytes = await handle.readFile()
    const wrong_content = kind.wrongWith(bytes)
    return wrong_content === undefined ? { bytes } : { wrong: `${wrong_content}. ${kind.advice}` }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return { wrong: `the file is missing. ${kind.advice}` }
    if (code === 'ELOOP') return { wrong: 'it is a link, and links are not followed. Put the file itself here.' }
    if (code === 'EACCES') return { wrong: 'it may not be read. Run as root.' }
    return { wrong: `${reasonOf(error)}. ${kind.advice}` }
  } finally {
    await handle?.close()
  }
}

/** A secret belongs to root, or to the user who runs the program, and to nobody else. */
function wrongOwner(file: string, status: Stats): string | undefined {
  if (!status.isFile()) return 'it is not a regular file. Replace it by one.'
  if (status.uid !== 0 && status.uid !== process.geteuid?.()) return `it belongs to user ${status.uid}. Run "chown root ${file}".`
  const mode = status.mode & 0o7777
  if (mode !== 0o600 && mode !== 0o400) return `its mode is ${mode.toString(8).padStart(4, '0')}, so others may read or run it. Run "chmod 600 ${file}".`
  return undefined
}
