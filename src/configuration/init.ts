import { randomBytes } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { reasonOf, RingwardError } from '../errors.ts'
import { writeNew } from './durable-file.ts'
import { newHandKey } from './hand-key.ts'
import { SHARE_FOLDERS, SKELETON_FILES } from './skeleton.ts'

export interface InitOptions {
  /** Where the ring's keys go; away from the shared area, for they are copied to the hosts by hand. */
  readonly keys_directory: string
}

export interface Initialised {
  readonly created: readonly string[]
  /** Was there already, and was left as it is. */
  readonly kept: readonly string[]
}

/** The keys' usual place, beside where the command runs. */
export const KEYS_DIRECTORY = './ringward-keys'

/**
 * Makes a skeleton of a shared area and the keys of a new ring. Nothing is ever overwritten, so it may be run again
 * after a failure. Rejects with USAGE when the keys would lie in the shared area.
 */
export async function init(directory: string, options: InitOptions): Promise<Initialised> {
  const created: string[] = []
  const kept: string[] = []
  if (isInside(options.keys_directory, directory)) throw new RingwardError('USAGE', `the keys may not lie in the shared area ${directory}, where every host can read them; name another folder`)
  await mkdir(directory, { recursive: true })
  await mkdir(options.keys_directory, { recursive: true, mode: 0o700 })
  for (const folder of SHARE_FOLDERS) await make(join(directory, folder), async path => { await mkdir(path, { mode: 0o755 }) })
  for (const [path, text] of Object.entries(SKELETON_FILES)) await make(join(directory, path), file => writeNew(file, text, 0o644))
  await make(join(options.keys_directory, 'ring.psk'), file => writeNew(file, newRingKey(), 0o600))
  const hand_key = join(options.keys_directory, 'hand_key')
  // The public half belongs to the private one: a pair is made whole or not at all.
  if (await present(hand_key) || await present(`${hand_key}.pub`)) kept.push(hand_key, `${hand_key}.pub`)
  else {
    const pair = newHandKey()
    await make(hand_key, file => writeNew(file, pair.private, 0o600))
    await make(`${hand_key}.pub`, file => writeNew(file, `${pair.public}\n`, 0o600))
  }
  return { created, kept }

  async function make(path: string, write: (path: string) => Promise<void>): Promise<void> {
    if (await present(path)) {
      kept.push(path)
      return
    }
    try {
      await write(path)
    } catch (error) {
      throw new RingwardError('CONFIGURATION_INVALID', `${path} cannot be made: ${reasonOf(error)}; correct that and run "ringward init" again, which keeps what is there`)
    }
    created.push(path)
  }
}

/** The text form of libp2p's pre-shared key: 32 random bytes. */
function newRingKey(): string {
  return `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}`
}

async function present(path: string): Promise<boolean> {
  return lstat(path).then(() => true, () => false)
}

function isInside(path: string, directory: string): boolean {
  const way = relative(resolve(directory), resolve(path))
  return !isAbsolute(way) && way.split('/')[0] !== '..'
}
