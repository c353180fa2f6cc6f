import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { goodCopy, type FetchParts } from '../../../executer/fetch.ts'
import { copyPlaces } from '../../../executer/local-copy.ts'
import { executerPlaces } from '../../../executer/places.ts'
import { RingwardError } from '../../../src/errors.ts'
import { folderShare, publish, readJson, recordedLog } from './publication-kit.ts'

describe('the copy to run', () => {
  let root: string
  let share: string
  let parts: FetchParts & { log: ReturnType<typeof recordedLog> }
  const signal = new AbortController().signal

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ringward-fetch-'))
    share = join(root, 'share')
    parts = {
      places: executerPlaces({ RINGWARD_VAR: join(root, 'var'), RINGWARD_RUN: join(root, 'run'), RINGWARD_ETC: join(root, 'etc') }, root),
      log: recordedLog(), openShare: () => folderShare(share), wall: () => new Date('2026-11-20T12:00:00Z'), check: () => Promise.resolve(),
    }
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  it('is the publication, verified, read-only, and remembered', async () => {
    await publish(share, { version: '2-a', program: { 'agent.mjs': 'x'.repeat(300_000) } })
    const copy = await goodCopy(parts, signal)
    expect(copy).toEqual(copyPlaces(parts.places, '2-a'))
    expect((await readFile(join(copy.program, 'agent.mjs'), 'utf8')).length).toBe(300_000)
    expect((await stat(join(copy.program, 'agent.mjs'))).mode & 0o777).toBe(0o555)
    expect(await readFile(join(copy.data, 'servers', 'ftp.toml'), 'utf8')).toContain('ftphost')
    expect(await readJson(parts.places.current)).toMatchObject({ schema: 'ringward.current/1', version: '2-a', program: copy.program, data: copy.data })
    expect(await readdir(parts.places.program)).toEqual(['2-a'])
  })

  it('is fetched once', async () => {
    await publish(share, { version: '2-a' })
    await goodCopy(parts, signal)
    await rm(join(share, 'program'), { recursive: true })
    await expect(goodCopy(parts, signal)).resolves.toMatchObject({ version: '2-a' })
    expect(parts.log.lines.filter(line => line.startsWith('!'))).toEqual([])
  })

  it.each([
    ['a tampered program', (place: string) => writeFile(join(place, 'program/3-b/agent.mjs'), '// agent.mjs of 6-b\n'), /agent\.mjs is not what was published/],
    ['a longer file', (place: string) => writeFile(join(place, 'program/3-b/guard.mjs'), 'x'.repeat(5_000)), /guard\.mjs has \d+ bytes, but \d+ were published/],
    ['an edited server', (place: string) => writeFile(join(place, 'servers/ftp.toml'), 'host = "evil"\n'), /servers\/ftp\.toml has/],
    ['a missing file', (place: string) => rm(join(place, 'servers/mail.toml')), /servers\/mail\.toml has 0 bytes/],
    ['a broken manifest', (place: string) => writeFile(join(place, 'manifest.json'), '{'), /not JSON/],
    ['no manifest', (place: string) => rm(join(place, 'manifest.json')), /no manifest\.json/],
    ['an expired publication', (place: string) => publish(place, { version: '3-b', expires: '2026-11-20T11:00:00Z' }), /expired/],
    ['an older version', (place: string) => publish(place, { version: '1-z' }), /forward only/],
    ['the same version with other content', (place: string) => publish(place, { version: '2-a', data: { 'group.toml': 'profile = "fast"\n' } }), /other content/],
  ])('stays the last good one after %s', async (_, spoil, reason) => {
    await publish(share, { version: '2-a' })
    await goodCopy(parts, signal)
    await publish(share, { version: '3-b' })
    await spoil(share)
    await expect(goodCopy(parts, signal)).resolves.toMatchObject({ version: '2-a' })
    expect(parts.log.lines.join('\n')).toMatch(reason)
    expect(await readJson(parts.places.current)).toMatchObject({ version: '2-a' })
  })

  it('stays the last good one when the newest does not pass the check, until it is corrected', async () => {
    await publish(share, { version: '2-a' })
    await goodCopy(parts, signal)
    await publish(share, { version: '3-b' })
    const refusing: FetchParts = { ...parts, check: copy => copy.version === '3-b' ? Promise.reject(new RingwardError('CONFIGURATION_INVALID', 'no vip')) : Promise.resolve() }
    await expect(goodCopy(refusing, signal)).resolves.toMatchObject({ version: '2-a' })
    await publish(share, { version: '3-b', data: { 'group.toml': 'profile = "careful"\n' } })
    const copy = await goodCopy(parts, signal)
    expect(copy.version).toBe('3-b')
    expect(await readFile(join(copy.data, 'group.toml'), 'utf8')).toContain('careful')
  })

  it('is nothing when nothing good was ever here', async () => {
    await publish(share, { version: '2-a' })
    await writeFile(join(share, 'group.toml'), '')
    await expect(goodCopy(parts, signal)).rejects.toThrow(/no earlier good copy, and .*group\.toml has 0 bytes/)
    await expect(stat(parts.places.current)).rejects.toThrow()
  })

  it('is fetched again when the disk changed it', async () => {
    await publish(share, { version: '2-a' })
    const copy = await goodCopy(parts, signal)
    await chmod(join(copy.program, 'agent.mjs'), 0o644)
    await writeFile(join(copy.program, 'agent.mjs'), 'rotten')
    await goodCopy(parts, signal)
    expect(await readFile(join(copy.program, 'agent.mjs'), 'utf8')).toContain('of 2-a')
    expect(parts.log.lines.join('\n')).toMatch(/not whole.*fetching it again/)
  })

  it('is the last good one when the share gives no answer', async () => {
    await publish(share, { version: '2-a' })
    await goodCopy(parts, signal)
    const closed: string[] = []
    const dead: FetchParts = { ...parts, openShare: () => ({ readAt: () => Promise.reject(new RingwardError('SHARE_TIMEOUT', 'no answer')), close: () => Promise.resolve(void closed.push('closed')) }) }
    await expect(goodCopy(dead, signal)).resolves.toMatchObject({ version: '2-a' })
    expect(closed).toEqual(['closed'])
  })

  it('leaves one older copy beside it', async () => {
    for (const version of ['2-a', '3-b', '10-c']) {
      await publish(share, { version })
      await goodCopy(parts, signal)
    }
    expect((await readdir(parts.places.program)).sort()).toEqual(['10-c', '3-b'])
    expect((await readdir(parts.places.data)).sort()).toEqual(['10-c', '3-b'])
  })
})
