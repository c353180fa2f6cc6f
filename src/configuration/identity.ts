import { open } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { reasonOf, RingwardError } from '../errors.ts'
import { writeNew } from './durable-file.ts'

/** libp2p's protobuf of an ed25519 key has 68 bytes; anything much longer is another file. */
const KEY_LIMIT_BYTES = 4_096

/** Makes this host's identity: a new ed25519 key in libp2p's form, mode 0600. Never overwrites. Resolves to the peer identity. */
export async function createIdentity(file: string): Promise<string> {
  const key = await generateKeyPair('Ed25519')
  try {
    await writeNew(file, privateKeyToProtobuf(key), 0o600)
  } catch (error) {
    throw new RingwardError('KEY_UNREADABLE', `the identity cannot be written to ${file}: ${reasonOf(error)}; a key that is there already is kept`)
  }
  return peerIdFromPrivateKey(key).toString()
}

/** The peer identity of a key file. Rejects with KEY_UNREADABLE. */
export async function readIdentity(file: string): Promise<string> {
  let handle
  try {
    handle = await open(file, 'r')
    if ((await handle.stat()).size > KEY_LIMIT_BYTES) throw new Error('it is too large for a key')
    return peerIdFromPrivateKey(privateKeyFromProtobuf(await handle.readFile())).toString()
  } catch (error) {
    throw new RingwardError('KEY_UNREADABLE', `the identity in ${file} cannot be used: ${reasonOf(error)}; remove it and run "ringward join" again`)
  } finally {
    await handle?.close()
  }
}
