import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SystemClock } from '../../src/edges/clock.ts'
import { generateIdentity, generatePsk, loadIdentity, loadPsk, peerIdOf, writeSecret } from '../../src/edges/peers/identity.ts'
import { Libp2pPeers } from '../../src/edges/peers/libp2p-peers.ts'
import { Heard } from '../contract/support/peers-world.ts'

describe('identity', () => {
  let folder = ''
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'ringward-keys-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  test('a written identity is read again as the same peer', async () => {
    const file = join(folder, 'identity.key')
    const identity = await generateIdentity()
    await writeSecret(file, identity)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(peerIdOf(await loadIdentity(file))).toBe(peerIdOf(identity))
    await expect(writeSecret(file, await generateIdentity())).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
  })

  test('a ring key is read again; anything else is not a ring key', async () => {
    const file = join(folder, 'ring.psk')
    const psk = generatePsk()
    await writeSecret(file, psk)
    expect(Buffer.compare(await loadPsk(file), psk)).toBe(0)
    await writeFile(file, 'secret')
    await expect(loadPsk(file)).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
  })

  test('missing, broken and open key files are named', async () => {
    const file = join(folder, 'identity.key')
    await expect(loadIdentity(file)).rejects.toThrow(file)
    await writeFile(file, 'broken', { mode: 0o600 })
    await expect(loadIdentity(file)).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
    await writeFile(file, await generateIdentity())
    await chmod(file, 0o644)
    await expect(loadIdentity(file)).rejects.toThrow('others may read it')
  })

  test('an identity that is not the published one is said at once', async () => {
    const identity = await generateIdentity()
    const self = { name: 'ftp', address: '127.0.0.1', port: 1, peer_id: peerIdOf(await generateIdentity()) }
    expect(() => new Libp2pPeers({ self, members: [], identity, psk: generatePsk(), events: new Heard(), clock: new SystemClock(), log: () => {} })).toThrow('publish')
  })
})
