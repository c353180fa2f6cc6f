import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCheck } from '../../src/configuration/check.ts'
import { readIdentity } from '../../src/configuration/identity.ts'
import { init } from '../../src/configuration/init.ts'
import { join as joinRing } from '../../src/configuration/join-ring.ts'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { parseManifest, verifyBytes } from '../../src/configuration/manifest.ts'
import { formatProblem } from '../../src/configuration/problem.ts'
import { PROGRAM_FILES, publish } from '../../src/configuration/publish.ts'
import { SHARE_FOLDERS } from '../../src/configuration/skeleton.ts'
import { ringFiles, SSH_KEY } from './configuration-ring.ts'

const EXAMPLE = join(import.meta.dirname, '../../shared-config')
const clock = { boot_ms: () => 0, wall: () => new Date('2025-01-02T03:04:05.678Z') }

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringward-test-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function write(root: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

async function problemsIn(root: string): Promise<string[]> {
  return (await runCheck(root)).problems.map(formatProblem)
}

describe('check', () => {
  it('finds the example sound, but for the identities that joining adds', async () => {
    const { inventory, problems, warnings } = await runCheck(EXAMPLE)
    expect(problems).toEqual([])
    expect(inventory?.servers.map(server => server.name)).toEqual(['mail', 'login', 'files'])
    expect(warnings).toHaveLength(6)
    for (const warning of warnings) expect(warning.message).toMatch(/^(peer_id|ssh_host_key) is missing, so this host cannot join\./)
  })

  it('follows no link, and reads nothing large, nothing odd and nothing misnamed', async () => {
    await write(directory, ringFiles())
    await rm(join(directory, 'servers/ftp.toml'))
    await symlink('mail.toml', join(directory, 'servers/ftp.toml'))
    await write(directory, new Map([['servers/Web.toml', ''], ['servers/notes.txt', ''], ['servers/.mail.toml.swp', ''], ['probes/big.toml', '#'.repeat(300_000)]]))
    await writeFile(join(directory, 'probes/latin.toml'), Buffer.from([0x23, 0xe9, 0x0a]))
    await mkdir(join(directory, 'probes/folder.toml'))
    await symlink('/etc', join(directory, 'identities'))
    expect(await problemsIn(directory)).toEqual([
      expect.stringMatching(/^group\.toml:1:\d+: the group names "ftp"/),
      'identities:1: this is not a folder, and links are not followed. Make it a folder.',
      'probes/big.toml:1: the file is larger than 256 KiB. Shorten it.',
      'probes/folder.toml:1: this is not a regular file. Replace it by one.',
      'probes/latin.toml:1: the file is not UTF-8 text. Save it as UTF-8.',
      'servers/Web.toml:1: the name is not allowed: only a-z, 0-9 and "-", then .toml. Rename the file.',
      'servers/ftp.toml:1: this is a link, and links are not followed. Put the file itself here.',
      'servers/notes.txt:1: only files named NAME.toml belong in servers/. Move this one elsewhere.',
    ])
  })

  it('of an absent directory says what is missing', async () => {
    expect(await problemsIn(join(directory, 'nowhere'))).toEqual([expect.stringContaining('group.toml:1: the file is missing. Run "ringward init"')])
  })
})

describe('init', () => {
  const keys = () => join(directory, 'keys')
  const share = () => join(directory, 'share')

  it('makes a skeleton whose only mistake is the empty group, and keys for root alone', async () => {
    const { kept } = await init(share(), { keys_directory: keys() })
    expect(kept).toEqual([])
    expect((await readdir(share())).sort()).toEqual([...SHARE_FOLDERS, 'group.toml'].sort())
    expect(await problemsIn(share())).toEqual([expect.stringContaining('servers is empty.')])
    const group = await readFile(join(share(), 'group.toml'), 'utf8')
    await writeFile(join(share(), 'group.toml'), group.replace('[]', '["example"]'))
    expect(await problemsIn(share())).toEqual([])
    expect(await readFile(join(keys(), 'ring.psk'), 'latin1')).toMatch(/^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}$/)
    for (const name of ['ring.psk', 'hand_key', 'hand_key.pub']) expect((await lstat(join(keys(), name))).mode & 0o777).toBe(0o600)
    const key = ssh2.utils.parseKey(await readFile(join(keys(), 'hand_key')))
    if (key instanceof Error) throw key
    expect(await readFile(join(keys(), 'hand_key.pub'), 'utf8')).toContain(key.getPublicSSH().toString('base64'))
  })

  it('overwrites nothing', async () => {
    await init(share(), { keys_directory: keys() })
    await writeFile(join(share(), 'group.toml'), 'mine')
    await rm(join(share(), 'claims'), { recursive: true })
    await rm(join(keys(), 'hand_key.pub'))
    const psk = await readFile(join(keys(), 'ring.psk'))
    expect((await init(share(), { keys_directory: keys() })).created).toEqual([join(share(), 'claims')])
    expect(await readFile(join(share(), 'group.toml'), 'utf8')).toBe('mine')
    expect(await readFile(join(keys(), 'ring.psk'))).toEqual(psk)
  })

  it('keeps the keys out of the shared area', async () => {
    await expect(init(share(), { keys_directory: join(share(), 'keys') })).rejects.toMatchObject({ code: 'USAGE' })
    expect(await readdir(directory)).toEqual([])
  })
})

describe('publish', () => {
  const program = () => join(directory, 'program-built')
  const share = () => join(directory, 'share')
  beforeEach(async () => {
    await write(share(), ringFiles())
    await write(program(), new Map(PROGRAM_FILES.map(name => [name, `// ${name}\n`])))
  })
  const published = async () => parseManifest(await readFile(join(share(), 'manifest.json')))

  it('lists exactly the bytes that are there, and counts forward', async () => {
    await publish(share(), program(), { clock, label: '0.1.0' })
    const manifest = await published()
    expect(manifest).toMatchObject({ version: '1-0.1.0', created: '2025-01-02T03:04:05.678Z', expires: null, signature: null, program: { directory: 'program/1-0.1.0' } })
    expect(manifest.program.files.map(file => file.path)).toEqual([...PROGRAM_FILES])
    const texts = new Map<string, string>()
    for (const entry of manifest.data.files) {
      const bytes = await readFile(join(share(), entry.path))
      verifyBytes(entry, bytes)
      texts.set(entry.path, bytes.toString())
    }
    for (const entry of manifest.program.files) {
      const path = join(share(), manifest.program.directory, entry.path)
      verifyBytes(entry, await readFile(path))
      expect((await lstat(path)).mode & 0o777).toBe(0o444)
    }
    expect(loadConfiguration(texts, { version: manifest.version }).inventory?.version).toBe('1-0.1.0')
    await publish(share(), program(), { clock })
    expect((await published()).version).toBe('2')
    expect(await readdir(join(share(), 'program'))).toEqual(['1-0.1.0', '2'])
    expect((await readdir(share())).filter(name => name.startsWith('.'))).toEqual([])
  })

  it('never reuses a number, also when the manifest is lost or spoilt', async () => {
    await publish(share(), program(), { clock })
    await writeFile(join(share(), 'manifest.json'), 'spoilt')
    await publish(share(), program(), { clock })
    await rm(join(share(), 'manifest.json'))
    expect((await publish(share(), program(), { clock })).manifest.version).toBe('3')
  })

  it('refuses a configuration with problems, a program with gaps and a bad label, and changes nothing', async () => {
    const before = await readdir(share())
    await expect(publish(share(), program(), { clock, label: '../x' })).rejects.toMatchObject({ code: 'USAGE' })
    await rm(join(program(), 'guard.mjs'))
    await expect(publish(share(), program(), { clock })).rejects.toThrow(/has no guard\.mjs; build the program/)
    await writeFile(join(share(), 'group.toml'), 'servers = []\n')
    await expect(publish(share(), program(), { clock })).rejects.toThrow(/nothing was published; correct this first:\ngroup\.toml:1:1: servers is empty/)
    expect(await readdir(share())).toEqual(before)
  })

  it('a dry run says what it would publish', async () => {
    expect((await publish(share(), program(), { clock, dry_run: true })).manifest.version).toBe('1')
    expect(await readdir(share())).toEqual(['group.toml', 'servers'])
  })
})

describe('join', () => {
  const options = (replace = false) => ({
    settings: { share: directory, device: 'eth0' }, identity_key: join(directory, 'local/identity.key'), hostname: 'mail1',
    ssh_host_key: join(directory, 'host.pub'), replace,
  })
  beforeEach(async () => {
    const files = ringFiles()
    files.set('servers/mail.toml', (files.get('servers/mail.toml') ?? '').replace(/(peer_id|ssh_host_key).*\n/g, ''))
    await write(directory, files)
    await writeFile(join(directory, 'host.pub'), `${SSH_KEY} root@mail1\n`)
  })

  it('makes the identity once and announces it; check is then satisfied', async () => {
    const joined = await joinRing(options())
    expect(joined).toEqual({ name: 'mail', peer_id: await readIdentity(options().identity_key), ssh_host_key: SSH_KEY, file: join(directory, 'identities/mail.json'), changed: true })
    expect((await lstat(options().identity_key)).mode & 0o777).toBe(0o600)
    expect(await joinRing(options())).toEqual({ ...joined, changed: false })
    const { inventory, warnings } = await runCheck(directory)
    expect(warnings).toEqual([])
    expect(inventory?.servers[0]).toMatchObject({ peer_id: joined.peer_id, ssh_host_key: SSH_KEY })
  })

  it('replaces another identity, or a spoilt one, only when asked', async () => {
    await write(directory, new Map([['identities/mail.json', 'spoilt']]))
    await expect(joinRing(options())).rejects.toMatchObject({ code: 'IDENTITY_TAKEN' })
    expect(await joinRing(options(true))).toMatchObject({ changed: true })
  })

  it('refuses a host that no server names, and one without SSH host key', async () => {
    await expect(joinRing({ ...options(), hostname: 'stranger' })).rejects.toThrow(/no server of the ring has host = "stranger"/)
    await rm(join(directory, 'host.pub'))
    await expect(joinRing(options())).rejects.toThrow(/ssh-keygen -A/)
  })

  it('keeps a spoilt key file', async () => {
    await mkdir(join(directory, 'local'))
    await writeFile(options().identity_key, 'spoilt')
    await chmod(options().identity_key, 0o600)
    await expect(joinRing(options())).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
    expect(await readFile(options().identity_key, 'utf8')).toBe('spoilt')
  })
})
