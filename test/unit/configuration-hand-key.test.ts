import ssh2 from 'ssh2'
import { describe, expect, it } from 'vitest'
import { drawPair, newHandKey } from '../../src/configuration/hand-key.ts'
import { malformedPair } from './malformed-pair.ts'

describe('the hand\'s key', () => {
  it('is never a malformed pair: another one is drawn', () => {
    const [malformed, sound] = [malformedPair(), soundPair()]
    const drawn = [malformed, malformed, sound]
    expect(newHandKey(() => drawn.shift() ?? sound)).toEqual({ private: sound.private, public: sound.public.trimEnd() })
    expect(drawn).toEqual([])
  })

  it('is never made of two halves that do not belong together', () => {
    const [one, other] = [soundPair(), soundPair()]
    const drawn = [{ private: one.private, public: other.public }, other]
    expect(newHandKey(() => drawn.shift() ?? other).private).toBe(other.private)
  })

  it('says what to do instead when no pair works', () => {
    const malformed = malformedPair()
    expect(() => newHandKey(() => malformed)).toThrow(/ssh-keygen -t ed25519 -N ''/)
  })

  it('is a key that both SSH ends read', () => {
    const pair = newHandKey()
    for (const half of [pair.private, pair.public]) expect(ssh2.utils.parseKey(half)).not.toBeInstanceOf(Error)
    expect(pair.public).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]{68} ringward remote hand$/)
  })
})

function soundPair(): ReturnType<typeof drawPair> {
  let pair = drawPair()
  while (ssh2.utils.parseKey(pair.private) instanceof Error) pair = drawPair()
  return pair
}
