import ssh2, { type ParsedKey } from 'ssh2'
import { RingwardError } from '../errors.ts'

/** The SSH key of a ring's remote hands, in OpenSSH's form; the public half is one line without its end. */
export interface HandKey {
  readonly private: string
  readonly public: string
}

/** With one draw of 256 malformed, all of them are in one `ringward init` of 10^19. */
const DRAWS_LIMIT = 8

/**
 * A new key pair for the remote hands: ed25519, without a passphrase.
 *
 * A pair is drawn again until it is proved to work: ssh2 (1.17, its issues 1390 and 1513) takes a public key that begins
 * with a zero byte for a shorter number, so that one pair of 256 is read by no SSH program at all. Throws INTERNAL when
 * none of a few pairs works.
 */
export function newHandKey(draw: () => HandKey = drawPair): HandKey {
  for (let draws = 0; draws < DRAWS_LIMIT; draws++) {
    const pair = draw()
    if (belongTogether(pair)) return { private: pair.private, public: pair.public.trimEnd() }
  }
  throw new RingwardError('INTERNAL', `no usable SSH key in ${DRAWS_LIMIT} draws: the package ssh2 is broken here; make hand_key and hand_key.pub in the folder of the keys with "ssh-keygen -t ed25519 -N ''" and run "ringward init" again, which keeps it`)
}

/** What keeps these bytes, a private key by their first line, from being used by an SSH client that asks nobody; nothing when they can be. */
export function wrongWithHandKey(bytes: Buffer): string | undefined {
  const key = parsed(bytes)
  return key instanceof Error ? `an SSH client cannot use its content (${key.message})` : undefined
}

/** One pair as ssh2 makes it, whole or malformed. */
export function drawPair(): HandKey {
  return ssh2.utils.generateKeyPairSync('ed25519', { comment: 'ringward remote hand' })
}

function belongTogether(pair: HandKey): boolean {
  const [private_half, public_half] = [parsed(pair.private), parsed(pair.public)]
  if (private_half instanceof Error || public_half instanceof Error) return false
  const proof = Buffer.from('ringward')
  const signature: Buffer | Error = private_half.sign(proof)
  return !(signature instanceof Error) && public_half.verify(proof, signature) === true
}

/** ssh2 throws for some malformed content and returns the error for other. */
function parsed(content: Buffer | string): ParsedKey | Error {
  try {
    return ssh2.utils.parseKey(content)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
