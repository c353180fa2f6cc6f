import { access, appendFile, chmod, mkdir, mkdtemp, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownRole } from '../../executer/own-role.ts'
import { runCheck } from '../../src/configuration/check.ts'
import { loadHostSettings, ownServer, parseHostSettings } from '../../src/configuration/host-settings.ts'
import { createIdentity } from '../../src/configuration/identity.ts'
import { init } from '../../src/configuration/init.ts'
import { checkKeys, loadKeys } from '../../src/configuration/key-files.ts'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { placesOf, type Places } from '../../src/configuration/places.ts'
import { unusablePowerPrograms } from '../../src/configuration/power-programs.ts'
import { formatProblem } from '../../src/configuration/problem.ts'
import { renderHostToml, renderServerToml } from '../../src/configuration/ring-writer.ts'
import { reasonOf } from '../../src/errors.ts'
import { changed, ringFiles, serverText } from './configuration-ring.ts'
import { malformedPair } from './malformed-pair.ts'

function reasonOfFailure(act: () => string): string {
  try {
    return act()
  } catch (error) {
    return reasonOf(error)
  }
}

let directory: string
let places: Places
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringward-test-'))
  places = placesOf({ RINGWARD_ETC: join(directory, 'etc'), RINGWARD_RUN: join(directory, 'run') })
  await mkdir(join(directory, 'etc'))
  await init(join(directory, 'share'), { keys_directory: places.keys })
  await createIdentity(places.identity_key)
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe('places', () => {
  it('are the usual ones unless the environment moves a root', () => {
    expect(placesOf({})).toMatchObject({ host_toml: '/etc/ringward/host.toml', hand_key: '/etc/ringward/keys/hand_key', flag: '/var/lib/ringward/flag', log: '/var/log/ringward', guard_socket: '/run/ringward/guard.sock' })
    expect(places).toMatchObject({ host_toml: join(directory, 'etc/host.toml'), control_socket: join(directory, 'run/control.sock'), flag: '/var/lib/ringward/flag' })
  })
})

describe('host.toml', () => {
  it('is read strictly', () => {
    const all = { share: '/srv/ringward', device: 'host0', name: 'ftp', network_service: 'systemd-networkd', bridge: 'br0', alert_command: ['/usr/local/bin/tell', 'a b; c'] }
    expect(parseHostSettings('host.toml', renderHostToml(all))).toEqual({ settings: all, problems: [] })
    expect(parseHostSettings('host.toml', 'share = "srv"\nshares = 1\n').problems.map(formatProblem)).toEqual([
      'host.toml:1:1: device is missing. Write the network device of the VIP as "ip link" shows it, for example device = "eth0".',
      'host.toml:1:1: share = "srv" is not an absolute path without "..". Write the mount point of the shared area, for example share = "/srv/ringward".',
      'host.toml:2:1: unknown key "shares". Did you mean "share"?',
    ])
  })

  it('takes an alert command by its absolute path only, as a list', () => {
    const problems = (line: string): string[] => parseHostSettings('host.toml', `share = "/srv/ringward"\ndevice = "br0"\n${line}\n`).problems.map(formatProblem)
    const advice = 'Write the program by its absolute path and its arguments as a list, for example alert_command = ["/usr/local/bin/tell", "admin"], or leave it out.'
    for (const line of ['alert_command = "/usr/local/bin/tell"', 'alert_command = []', 'alert_command = ["tell", "admin"]', 'alert_command = ["../tell"]']) {
      expect(problems(line), line).toHaveLength(1)
      expect(problems(line)[0]).toMatch(/^host\.toml:3:\d+: alert_command/)
    }
    expect(problems('alert_command = "tell"')[0]).toContain(advice)
  })

  it('a start without it fails with what to write', async () => {
    await expect(loadHostSettings(places.host_toml)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', message: `${places.host_toml}:1: the file is missing. Write it with share = "/srv/ringward" and device = "eth0".` })
  })

  it('the host finds its own record by name, else by host name', () => {
    const { inventory } = loadConfiguration(ringFiles())
    if (!inventory) throw new Error('the ring is sound')
    const settings = { share: '/srv', device: 'eth0' }
    expect(ownServer(inventory, settings, 'login1').name).toBe('login')
    expect(ownServer(inventory, { ...settings, name: 'ftp' }, 'login1').name).toBe('ftp')
    expect(() => ownServer(inventory, settings, 'login')).toThrow(/no server of the ring has host = "login"/)
    expect(() => ownServer(inventory, { ...settings, name: 'fpt' }, 'login1')).toThrow(/Did you mean "ftp"\?/)
  })

  it('the Executer starts the very server that agent, hand and check take this host for', async () => {
    const outcomes: string[] = []
    const hosts = [['mail1', 'login1', 'ftp1'], ['mail1.example.org', 'login1', 'ftp1'], ['mail1', 'mail1.example.org', 'ftp1']]
    for (const [index, [mail = '', login = '', ftp = '']] of hosts.entries()) {
      const files = ringFiles()
      for (const [name, host] of [['mail', mail], ['login', login], ['ftp', ftp]] as const) files.set(`servers/${name}.toml`, (files.get(`servers/${name}.toml`) ?? '').replace(`"${name}1"`, `"${host}"`))
      const { inventory } = loadConfiguration(files)
      if (!inventory) throw new Error('the ring is sound')
      const data = join(directory, `data${index}`)
      await mkdir(join(data, 'servers'), { recursive: true })
      for (const [path, text] of files) await writeFile(join(data, path), text)
      for (const [name, hostname] of [[undefined, 'mail1'], [undefined, 'mail1.example.org'], [undefined, 'mail1.other.org'], [undefined, 'mail'], ['ftp', 'mail1'], ['fpt', 'mail1']] as const) {
        const agent = reasonOfFailure(() => ownServer(inventory, { share: '/srv', device: 'eth0', ...name === undefined ? {} : { name } }, hostname).name)
        expect(await ownRole(data, name, hostname).then(role => role.name, reasonOf)).toBe(agent)
        outcomes.push(agent.replace(/ .*/, ''))
      }
    }
    expect(outcomes).toEqual(['mail', 'mail', 'mail', 'no', 'ftp', 'host.toml', 'no', 'mail', 'no', 'no', 'ftp', 'host.toml', 'mail', 'the', 'mail', 'no', 'ftp', 'host.toml'])
  })
})

describe('key files', () => {
  it('are read when all is well', async () => {
    const keys = await loadKeys(places)
    expect([keys.identity_key.length, keys.ring_psk.length]).toEqual([68, 95])
  })

  const spoil: readonly [string, (file: string) => Promise<void>, string][] = [
    ['missing', file => rm(file), 'the file is missing.'],
    ['readable by others', file => chmod(file, 0o640), 'its mode is 0640, so others may read or run it. Run "chmod 600 '],
    ['empty', file => writeFile(file, ''), 'it has 0 bytes, which is not the size of such a key.'],
    ['another file', file => writeFile(file, 'x'.repeat(68)), 'its content is not such a key.'],
    ['too large', file => writeFile(file, 'x'.repeat(20_000)), 'it has 20000 bytes'],
    ['a folder', async file => { await rm(file); await mkdir(file) }, 'it is not a regular file.'],
    ['a link', async file => { await rm(file); await symlink('/dev/null', file) }, 'it is a link, and links are not followed.'],
  ]
  it.each(spoil)('%s', async (_, spoiled, message) => {
    for (const file of [places.identity_key, places.ring_psk, places.hand_key]) await spoiled(file)
    const { keys, problems } = await checkKeys(places)
    expect(keys).toBeUndefined()
    expect(problems.map(problem => problem.file)).toEqual([places.identity_key, places.ring_psk, places.hand_key])
    for (const problem of problems) expect(problem.message).toContain(message)
    await expect(loadKeys(places)).rejects.toMatchObject({ code: 'KEY_UNREADABLE' })
  })

  // Found at the check, not when a host is to be revived at night.
  const unusable: readonly [string, () => Promise<string> | string, string][] = [
    ['malformed', () => malformedPair().private, 'an SSH client cannot use its content (Malformed OpenSSH private key)'],
    ['behind a passphrase', () => ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'secret', cipher: 'aes256-ctr', rounds: 1 }).private, 'an SSH client cannot use its content (Encrypted'],
    ['the public half', () => readFile(`${places.hand_key}.pub`, 'utf8'), 'its content is not such a key.'],
    ['cut short', async () => (await readFile(places.hand_key, 'utf8')).slice(0, 120), 'an SSH client cannot use its content'],
  ]
  it.each(unusable)('a hand key that is %s', async (_, content, message) => {
    await writeFile(places.hand_key, await content())
    const { problems } = await checkKeys(places)
    expect(problems).toEqual([{ file: places.hand_key, line: 1, message: expect.stringContaining(message) as string }])
    expect(problems[0]?.message).toContain('ssh-keygen -t ed25519')
  })

  it('are part of a check on a host of the ring, and of no other machine', async () => {
    const share = join(directory, 'ring')
    await mkdir(join(share, 'servers'), { recursive: true })
    for (const [path, text] of ringFiles()) await writeFile(join(share, path), text)
    const check = async (hostname: string) => (await runCheck(share, { local: { places, hostname } })).problems.map(formatProblem)
    await chmod(places.ring_psk, 0o644)
    expect(await check('mail1')).toEqual([])
    await writeFile(places.host_toml, renderHostToml({ share, device: 'eth0' }))
    expect(await check('mail1')).toEqual([expect.stringMatching(/ring\.psk:1: the ring's pre-shared key cannot be used: its mode is 0644/)])
    await chmod(places.ring_psk, 0o600)
    expect(await check('mail1')).toEqual([])
    expect(await check('other')).toEqual([expect.stringMatching(/host\.toml:1: no server of the ring has host = "other"/)])
  })

  it('a host that is to use libvirt is told what it lacks: refused when it is not installed, warned when it does not answer', async () => {
    const share = join(directory, 'ring-libvirt')
    await mkdir(join(share, 'servers'), { recursive: true })
    for (const [path, text] of ringFiles()) await writeFile(join(share, path), text)
    await writeFile(places.host_toml, renderHostToml({ share, device: 'eth0' }))
    const check = async (is_missing: boolean) => {
      const { problems, warnings } = await runCheck(share, { local: { places, hostname: 'mail1', libvirt: () => Promise.resolve({ is_missing, message: 'virsh is gone' }) } })
      return [problems.map(formatProblem), warnings.map(formatProblem)]
    }
    expect(await check(true)).toEqual([[], []])
    await writeFile(join(share, 'servers/mail.toml'), renderServerToml(serverText('mail', 1, { hypervisor: 'libvirt' })))
    const told = expect.stringMatching(/servers\/mail\.toml:1: hypervisor = "libvirt", but on this host virsh is gone/) as unknown
    expect(await check(true)).toEqual([[told], []])
    expect(await check(false)).toEqual([[], [told]])
  })

  it('is warned of every power program it could not start, where it is named; its own power is asked for by others', async () => {
    const share = join(directory, 'ring-power')
    const outlet = join(directory, 'outlet')
    await mkdir(join(share, 'servers'), { recursive: true })
    for (const [path, text] of ringFiles()) await writeFile(join(share, path), text)
    for (const name of ['mail', 'login']) await appendFile(join(share, `servers/${name}.toml`), `\n[power]\nwake_on_lan = false\ncommand = ["${outlet}", "7"]\n`)
    const lines = (await readFile(join(share, 'servers/login.toml'), 'utf8')).split('\n').length
    await writeFile(places.host_toml, renderHostToml({ share, device: 'eth0' }))
    const check = async () => {
      const { problems, warnings } = await runCheck(share, { local: { places, hostname: 'mail1' } })
      expect(problems).toEqual([])
      return warnings.map(formatProblem)
    }
    const told = (words: string) => [`servers/login.toml:${lines - 1}:12: ${words}, so this host can neither see that login has no power nor switch it on. Put the program there, executable, on every host of the ring.`]
    expect(await check()).toEqual(told(`${outlet} is not on this host`))
    await mkdir(outlet)
    expect(await check()).toEqual(told(`${outlet} is no program`))
    await rmdir(outlet)
    await writeFile(outlet, '#!/bin/sh\necho on\n', { mode: 0o644 })
    expect(await check()).toEqual(told(`${outlet} may not be executed here`))
    await chmod(outlet, 0o755)
    expect(await check()).toEqual([])
  })

  it('looks for ipmitool where a server has a power controller', async () => {
    const files = changed('servers/login.toml', '[virtual_server]', '[power.ipmi]\naddress = "192.0.2.71"\nuser = "ringward"\npassword_file = "/etc/ringward/keys/ipmi"\n\n[virtual_server]')
    const { inventory } = loadConfiguration(files)
    const line = (files.get('servers/login.toml') ?? '').split('\n').indexOf('[power.ipmi]') + 1
    const there = await access('/usr/bin/ipmitool').then(() => true, () => false)
    expect(await unusablePowerPrograms(inventory!, 'mail', files)).toEqual(there ? [] : [{
      file: 'servers/login.toml', line, column: expect.any(Number) as unknown,
      message: '/usr/bin/ipmitool is not on this host, so this host can neither see that login has no power nor switch it on. Run "apt-get install ipmitool", on every host of the ring.',
    }])
  })
})
