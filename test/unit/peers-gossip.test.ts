import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorKey, decodeGossip, encodeGossip, GossipFilter } from '../../src/edges/peers/gossip.ts'

const payload = (author: string, sequence: bigint) => ({ author_key: authorKey(author), sequence, message: 'survey' })

describe('gossip payload', () => {
  test('what is encoded is decoded', () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.jsonValue(), (author, sequence, message) => {
      const bytes = encodeGossip(author, sequence, message)
      expect(bytes && decodeGossip(bytes)).toEqual({ author_key: authorKey(author), sequence, message: JSON.parse(JSON.stringify(message)) })
    }))
  })

  test('any bytes never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), bytes => { decodeGossip(bytes) }))
    expect(decodeGossip(new Uint8Array(16))).toBeUndefined()
    expect(decodeGossip(Buffer.concat([new Uint8Array(16), Buffer.from('{')]))).toBeUndefined()
    expect(encodeGossip('ftp', 1n, 'x'.repeat(300_000))).toBeUndefined()
  })
})

describe('gossip filter', () => {
  test('takes each author in rising order only', () => {
    const filter = new GossipFilter()
    filter.setAuthors(['ftp', 'http'])
    const taken = [['ftp', 5n], ['ftp', 5n], ['ftp', 4n], ['http', 1n], ['ftp', 6n], ['mail', 9n]] as const
    expect(taken.map(([author, sequence]) => filter.accept(payload(author, sequence)))).toEqual(['ftp', undefined, undefined, 'http', 'ftp', undefined])
  })

  test('keeps its counts when members change, forgets those who left', () => {
    const filter = new GossipFilter()
    filter.setAuthors(['ftp', 'http'])
    filter.accept(payload('ftp', 5n))
    filter.accept(payload('http', 5n))
    filter.setAuthors(['ftp', 'mail'])
    filter.setAuthors(['ftp', 'http', 'mail'])
    expect(filter.accept(payload('ftp', 5n))).toBeUndefined()
    expect(filter.accept(payload('http', 5n))).toBe('http')
  })

  test('a restarted author may count from anywhere', () => {
    const filter = new GossipFilter()
    filter.setAuthors(['ftp'])
    filter.accept(payload('ftp', 500n))
    filter.restart('ftp')
    expect(filter.accept(payload('ftp', 3n))).toBe('ftp')
  })
})
