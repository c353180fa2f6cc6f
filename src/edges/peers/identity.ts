import './with-resolvers.ts'
import { randomBytes } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { reasonOf, RingwardError } from '../../errors.ts'

/** The text of a ring key: what libp2p's private networks use, so that other tools can make and read it. */
const PSK_PATTERN = /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n?$/
/** An Ed25519 key takes 68 bytes, a ring key 95; anything longer is not a key. */
const KEY_FILE_LIMIT_BYTES = 4096
const OTHERS_MODE = 0o077

/** A new Ed25519 identity as key file bytes. */
export async function generateIdentity(): Promise<Uint8Array> {
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'))
}

/** A new ring key (32 random bytes) as file text. */
export function generatePsk(): Uint8Array {
  return Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`)
}

/** The peer identity that belongs to a private key. Throws KEY_UNREADABLE. */
export function peerIdOf(identity: Uint8Array): string {
  try {
    return peerIdFromPrivateKey(privateKeyFromProtobuf(identity)).toString()
  } catch (error) {
    throw new RingwardError('KEY_UNREADABLE', `the identity key is not a libp2p private key: ${reasonOf(error)}; write a new one and publish its peer id`, { cause: error })
  }
}

/** Throws KEY_UNREADABLE when the bytes are not a ring key. */
export function assertPsk(psk: Uint8Array, where = 'the ring key'): void {
  if (!PSK_PATTERN.test(Buffer.from(psk).toString('latin1'))) {
    throw new RingwardError('KEY_UNREADABLE', `${where} is not a pre-shared key of version 1.0.0; copy the file of another host of the ring`)
  }
}

/** Reads this host's identity. Throws KEY_UNREADABLE: missing, readable for others, or not a key. */
export async function loadIdentity(file: string): Promise<Uint8Array> {
  const bytes = await readSecret(file)
  peerIdOf(bytes)
  return bytes
}

/** Reads the ring's pre-shared key. Throws KEY_UNREADABLE: missing, readable for others, or not a key. */
export async function loadPsk(file: string): Promise<Uint8Array> {
  const bytes = await readSecret(file)
  assertPsk(bytes, file)
  return bytes
}

/** Writes a key file for root only; never over an existing one, for a lost identity locks the host out of its ring. */
export async function writeSecret(file: string, bytes: Uint8Array): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'wx', 0o600)
    await handle.writeFile(bytes)
    await handle.sync()
  } catch (error) {
    throw new RingwardError('KEY_UNREADABLE', `the key file ${file} cannot be written: ${reasonOf(error)}`, { cause: error })
  } finally {
    await handle?.close()
  }
}

async function readSecret(file: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'r')
    const status = await handle.stat()
    if (!status.isFile() || status.size > KEY_FILE_LIMIT_BYTES) throw new Error('it is not a key file')
    if ((status.mode & OTHERS_MODE) !== 0) throw new Error('others may read it; set its mode to 600')
    return await handle.readFile()
  } catch (error) {
    throw new RingwardError('KEY_UNREADABLE', `the key file ${file} cannot be used: ${reasonOf(error)}`, { cause: error })
  } finally {
    await handle?.close()
  }
}
