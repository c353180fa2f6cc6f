import ssh2 from 'ssh2'
import { drawPair, type HandKey } from '../../src/configuration/hand-key.ts'

/** Of 256 pairs that ssh2 makes, one is malformed: that none of so many is, happens once in 10^17 runs. */
const DRAWS_LIMIT = 10_000

/** A pair that no SSH program can read, as ssh2 makes them. When there is none any more, newHandKey need not draw again. */
export function malformedPair(): HandKey {
  for (let draws = 0; draws < DRAWS_LIMIT; draws++) {
    const pair = drawPair()
    if (ssh2.utils.parseKey(pair.private) instanceof Error) return pair
  }
  throw new Error('ssh2 makes no malformed pairs any more: newHandKey need not draw again, and this test can go')
}
