import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseHostSettings, readHostSettings } from '../../../executer/host-settings.ts'
import { ownRole } from '../../../executer/own-role.ts'

describe('host.toml', () => {
  const parse = (text: string) => parseHostSettings('/etc/ringward/host.toml', text)

  it('is read; keys of the agent are left to it', () => {
    expect(parse('share = "/srv/ringward"\ndevice = "host0"\nbridge = "br0"\nname = "ftp"\nnetwork_service = "systemd-networkd"\n'))
      .toEqual({ share: '/srv/ringward', device: 'host0', name: 'ftp', network_service: 'systemd-networkd' })
  })

  it.each([
    ['share = "/srv"\n', /host\.toml:1: device is missing; add device = "eth0"/],
    ['device = "eth0"\nshare = "srv"\n', /host\.toml:2: share = "srv" is not the absolute path/],
    ['device = "eth0"\nshare = "/srv"\nnetwork_service = "--now"\n', /host\.toml:3: network_service/],
    ['device = "a b"\nshare = "/srv"\n', /host\.toml:1: device/],
    ['share = "/srv"\nname = 7\ndevice = "eth0"', /host\.toml:2: name = 7/],
    ['share = "/srv"\ndevice = \n', /host\.toml:2: is not TOML/],
  ])('%j is refused with file and line', (text, reason) => {
    expect(() => parse(text)).toThrow(reason)
  })

  it('that is absent says what to write', async () => {
    await expect(readHostSettings('/nowhere/host.toml')).rejects.toThrow(/\/nowhere\/host\.toml: cannot be read.*share =/)
  })
})

describe('the own role', () => {
  let data: string
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'ringward-role-'))
    await mkdir(join(data, 'servers'))
    await writeFile(join(data, 'group.toml'), 'profile = "fast"\nservers = ["ftp", "web1", "mail"]\n')
    await writeFile(join(data, 'servers', 'example.toml'), 'host = "ftphost"\n')
    await writeFile(join(data, 'servers', 'ftp.toml'), 'host = "ftphost"\n')
    await writeFile(join(data, 'servers', 'web1.toml'), 'vip = "10.0.0.1/24"\n')
  })
  afterEach(() => rm(data, { recursive: true }))

  it('is the name of host.toml, else found by the host name', async () => {
    await expect(ownRole(data, 'ftp', 'whatever')).resolves.toEqual({ name: 'ftp', profile: 'fast', daemons: [] })
    await expect(ownRole(data, undefined, 'ftphost')).resolves.toEqual({ name: 'ftp', profile: 'fast', daemons: [] })
    await expect(ownRole(data, undefined, 'ftphost.example.org')).resolves.toEqual({ name: 'ftp', profile: 'fast', daemons: [] })
    await expect(ownRole(data, undefined, 'web1')).resolves.toEqual({ name: 'web1', profile: 'fast', daemons: [] })
  })

  it('is refused when no server, or more than one, fits', async () => {
    await expect(ownRole(data, 'pop', 'x')).rejects.toThrow(/the ring has no such server\..*add servers\/pop\.toml/)
    await expect(ownRole(data, undefined, 'x')).rejects.toThrow(/no server of the ring has host = "x"/)
    await writeFile(join(data, 'servers', 'mail.toml'), 'host = "ftphost"\n')
    await expect(ownRole(data, undefined, 'ftphost')).rejects.toThrow(/the servers ftp, mail all fit/)
  })

  it('knows the daemons of its function, which must end after the Executer at shutdown', async () => {
    await writeFile(join(data, 'servers', 'ftp.toml'), 'daemons = [{ name = "vsftpd", probe = "ftp" }, { name = "dovecot", probe = "imap" }]\n')
    await expect(ownRole(data, 'ftp', 'x')).resolves.toMatchObject({ daemons: ['vsftpd', 'dovecot'] })
  })

  it('knows whether machines of libvirt must end after the Executer too', async () => {
    for (const [hypervisor, role] of [['libvirt', { hypervisor: 'libvirt' }], ['qemu', {}]] as const) {
      await writeFile(join(data, 'servers', 'ftp.toml'), `hypervisor = "${hypervisor}"\n`)
      await expect(ownRole(data, 'ftp', 'x')).resolves.toEqual({ name: 'ftp', profile: 'fast', daemons: [], ...role })
    }
  })

  it('has the default profile unless the group names one', async () => {
    await writeFile(join(data, 'group.toml'), 'servers = ["ftp"]\n')
    await expect(ownRole(data, 'ftp', 'x')).resolves.toEqual({ name: 'ftp', profile: 'default', daemons: [] })
    await writeFile(join(data, 'group.toml'), 'servers = ["ftp"]\nprofile = "--share"\n')
    await expect(ownRole(data, 'ftp', 'x')).rejects.toThrow(/profile/)
  })
})
