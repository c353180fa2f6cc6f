import { describe, expect, it } from 'vitest'
import { entryOf, hasExpired, isSafePath, parseManifest, programDigest, verifyBytes, versionNumber, type Manifest } from '../../src/configuration/manifest.ts'

const bytes = Buffer.from('hello')
const sound: Manifest = {
  schema: 'ringward.manifest/1', version: '7-0.1.0', created: '2025-01-02T03:04:05.678Z', expires: null,
  program: { directory: 'program/7-0.1.0', files: [entryOf('agent.mjs', bytes)] }, data: { files: [entryOf('servers/mail.toml', bytes)] }, signature: null,
}
const encoded = (manifest: unknown) => Buffer.from(JSON.stringify(manifest))
const refused = expect.objectContaining({ code: 'MANIFEST_INVALID' })
const withEntry = (entry: object) => ({ ...sound, data: { files: [{ ...sound.data.files[0], ...entry }] } })

describe('manifest', () => {
  it('is read back as it was written; fields of later versions do not hurt', () => {
    expect(parseManifest(encoded(sound))).toEqual(sound)
    expect(parseManifest(encoded({ ...sound, later: 1, program: { ...sound.program, later: 1 } }))).toEqual(sound)
    expect(parseManifest(encoded({ ...sound, expires: '2026-01-01T00:00:00Z', signature: 'ed25519:AAAA' }))).toMatchObject({ expires: '2026-01-01T00:00:00Z', signature: 'ed25519:AAAA' })
  })

  const broken: readonly [string, unknown][] = [
    ['not an object', []], ['another schema', { ...sound, schema: 'ringward.manifest/2' }], ['no version', { ...sound, version: undefined }], ['version with a path', { ...sound, version: '1-../../etc' }],
    ['version zero', { ...sound, version: '0' }], ['another directory', { ...sound, program: { ...sound.program, directory: 'program/6' } }], ['no expiry', { ...sound, expires: undefined }],
    ['bad stamp', { ...sound, created: 'yesterday' }], ['no files', { ...sound, data: { files: [] } }], ['signature of another kind', { ...sound, signature: {} }],
    ['path upwards', withEntry({ path: '../x' })], ['absolute path', withEntry({ path: '/etc/passwd' })], ['hidden path', withEntry({ path: '.ssh/x' })], ['path with dash', withEntry({ path: '-rf' })],
    ['negative size', withEntry({ size: -1 })], ['size with a fraction', withEntry({ size: 1.5 })], ['huge size', withEntry({ size: 1e9 })], ['short hash', withEntry({ sha256: 'abc' })],
    ['upper-case hash', withEntry({ sha256: 'A'.repeat(64) })], ['a file twice', { ...sound, data: { files: [sound.data.files[0], sound.data.files[0]] } }],
    ['too many files', { ...sound, data: { files: Array.from({ length: 2_001 }, (_, index) => entryOf(`f${index}`, bytes)) } }],
  ]
  it.each(broken)('refuses %s', (_, manifest) => {
    expect(() => parseManifest(encoded(manifest))).toThrow(refused)
  })

  it('refuses what is no JSON, not UTF-8 or too large', () => {
    for (const text of [Buffer.from('{'), Buffer.from([0x22, 0xff, 0x22]), Buffer.alloc(1024 * 1024 + 1, ' ')]) expect(() => parseManifest(text)).toThrow(refused)
  })

  it('tells programs apart by what they hold, not by their version', () => {
    const program = (...files: readonly Manifest['program']['files'][number][]): Manifest => ({ ...sound, program: { ...sound.program, files } })
    const [agent, guard] = [entryOf('agent.mjs', bytes), entryOf('guard.mjs', bytes)]
    const digest = programDigest(program(agent, guard))
    expect(digest).toMatch(/^[0-9a-f]{16}$/)
    expect(programDigest({ ...program(guard, agent), version: '8-b' })).toBe(digest)
    expect(programDigest(program(agent, entryOf('guard.mjs', Buffer.from('other'))))).not.toBe(digest)
    expect(programDigest(program(agent))).not.toBe(digest)
  })

  it('verifies bytes by size and hash', () => {
    verifyBytes(entryOf('x', bytes), bytes)
    expect(() => verifyBytes(entryOf('x', bytes), Buffer.from('hell'))).toThrow(/x has 4 bytes, but 5 were published/)
    expect(() => verifyBytes(entryOf('x', bytes), Buffer.from('jello'))).toThrow(/x is not what was published/)
  })

  it('knows the order of versions, safe paths and its own end', () => {
    expect(['12-a', '3', '0', 'x', '1-', '1-A', '1234567890'].map(versionNumber)).toEqual([12, 3, undefined, undefined, undefined, undefined, undefined])
    expect(['a', 'a/b.c/d', 'a//b', 'a/', 'a/./b', 'a/../b', 'a\\b', 'a b', 'a/b/c/d/e', ''].map(isSafePath)).toEqual([true, true, false, false, false, false, false, false, false, false])
    expect(hasExpired(sound, new Date())).toBe(false)
    expect(hasExpired({ ...sound, expires: '2025-01-01T00:00:00Z' }, new Date('2025-01-01T00:00:00Z'))).toBe(true)
  })
})
