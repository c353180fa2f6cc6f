import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgetServer } from '../../src/configuration/forget-server.ts'
import { withoutServer } from '../../src/configuration/list-edit.ts'
import { PROGRAM_FILES } from '../../src/configuration/publish.ts'
import { restartNeeded } from '../../src/configuration/restart-needed.ts'
import type { Server } from '../../src/core/inventory.ts'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { PEER_IDS, ringFiles, SSH_KEY } from './configuration-ring.ts'

describe('a name taken out of group.toml', () => {
  it.each([
    ['servers = ["mail", "login", "files"]\n', 'login', 'servers = ["mail", "files"]\n'],
    ['servers = ["mail", "login", "files"]\n', 'files', 'servers = ["mail", "login"]\n'],
    ['servers = [ "mail", "login", "files" ]\n', 'mail', 'servers = [ "login", "files" ]\n'],
    ["servers = ['mail', 'login', ] # two\n", 'login', "servers = ['mail', ] # two\n"],
    ['servers = [\n  "mail", # first\n  "login",\n  "files",\n]\n', 'login', 'servers = [\n  "mail", # first\n  "files",\n]\n'],
    ['servers = [\n  "mail",\n  "files"\n]\n', 'files', 'servers = [\n  "mail"\n]\n'],
    ['# "login" is the second\nprofile = "default"\nservers = ["mail", "login"]\n', 'login', '# "login" is the second\nprofile = "default"\nservers = ["mail"]\n'],
  ])('%j without %s', (text, name, expected) => {
    expect(withoutServer(text, name)).toBe(expected)
  })

  it('is left to a person where the list is not plain', () => {
    expect(() => withoutServer('servers = [\n  "mail", # not "login"\n  # "login" comes later\n  "log\\u0069n", "files"]\n', 'login')).toThrow(/by hand/)
    expect(() => withoutServer('"servers" = ["mail", "login"]\n', 'login')).toThrow(/by hand/)
    expect(() => withoutServer('servers = ["mail"\n', 'mail')).toThrow(/group\.toml:/)
  })
})

describe('a server that is forgotten', () => {
  let root: string
  let share: string
  const clock = { boot_ms: () => 0, wall: () => new Date('2026-11-20T12:00:00Z') }
  const read = (path: string): string => readFileSync(join(share, path), 'utf8')

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ringward-forget-'))
    share = join(root, 'share')
    for (const folder of ['share/servers', 'share/identities', 'program']) mkdirSync(join(root, folder), { recursive: true })
    for (const [path, text] of ringFiles()) writeFileSync(join(share, path), text)
    writeFileSync(join(share, 'identities/login.json'), JSON.stringify({ schema: 'ringward.identity/1', peer_id: PEER_IDS['login'], ssh_host_key: SSH_KEY }))
    for (const name of PROGRAM_FILES) writeFileSync(join(root, 'program', name), `// ${name}\n`)
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('leaves the list, its files are put aside, and the rest is published', async () => {
    const { publication, kept, servers } = await forgetServer(share, 'login', join(root, 'program'), { clock })
    expect(servers).toEqual(['mail', 'ftp'])
    expect(kept).toEqual(['forgotten/servers/login.toml', 'forgotten/identities/login.json'])
    expect(read('group.toml')).toContain('servers = [ "mail", "ftp" ]')
    expect(read('forgotten/servers/login.toml')).toContain('login')
    expect(existsSync(join(share, 'servers/login.toml'))).toBe(false)
    expect(publication?.manifest.data.files.map(({ path }) => path)).not.toContainEqual(expect.stringContaining('login'))
    expect(JSON.parse(read('manifest.json'))).toMatchObject({ version: '1' })
  })

  it('is only talked about in a dry run', async () => {
    const before = read('group.toml')
    expect(await forgetServer(share, 'login', join(root, 'program'), { clock, dry_run: true })).toMatchObject({ publication: undefined, servers: ['mail', 'ftp'] })
    expect(read('group.toml')).toBe(before)
    expect(existsSync(join(share, 'servers/login.toml'))).toBe(true)
  })

  it('changes nothing when it is not there, or when the rest would not be valid', async () => {
    await expect(forgetServer(share, 'web9', join(root, 'program'), { clock })).rejects.toMatchObject({ code: 'USAGE' })
    writeFileSync(join(share, 'servers/ftp.toml'), 'nonsense = 1\n')
    await expect(forgetServer(share, 'login', join(root, 'program'), { clock })).rejects.toThrow(/nothing was changed/)
    expect(read('group.toml')).toContain('"login"')
  })

  it('says what is left to do when the publication fails', async () => {
    await expect(forgetServer(share, 'login', join(root, 'nowhere'), { clock })).rejects.toThrow(/nothing was published yet.*run "ringward publish/)
  })
})

describe('what a running agent cannot take up', () => {
  const ring = sampleInventory(3)

  it('is what sockets, timers and addresses were started with', () => {
    expect(restartNeeded(ring, { ...ring, version: 'next', servers: sampleInventory(4).servers }, 'mail')).toEqual([])
    expect(restartNeeded(ring, { ...ring, interval_ms: 2_000, peer_port: 7 }, 'mail')).toEqual(['group.toml: interval_ms changes from 1000 to 2000', 'group.toml: peer_port changes from 7946 to 7'])
    expect(restartNeeded(ring, { ...ring, profile: 'careful' }, undefined)).toHaveLength(1)
  })

  it('concerns this host\'s own addresses, not those of others', () => {
    const moved = { ...ring, servers: ring.servers.map(server => server.name === 'mail' ? { ...server, vip: '10.77.0.99' } : server) }
    expect(restartNeeded(ring, moved, 'mail')).toEqual(['servers/mail.toml: vip of this host changes from 10.77.0.111 to 10.77.0.99'])
    expect(restartNeeded(ring, moved, 'login')).toEqual([])
  })

  it('concerns the hypervisor this host began with', () => {
    const other = { ...ring, servers: ring.servers.map((server): Server => server.name === 'mail' ? { ...server, hypervisor: 'libvirt' } : server) }
    expect(restartNeeded(ring, other, 'mail')).toEqual(['servers/mail.toml: hypervisor of this host changes from qemu to libvirt'])
    expect(restartNeeded(ring, other, 'login')).toEqual([])
  })
})
