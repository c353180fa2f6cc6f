import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { orderShutdown } from '../../../executer/shutdown-order.ts'
import type { run } from '../../../src/edges/command.ts'
import { recordedLog } from './publication-kit.ts'

describe('the order of the shutdown', () => {
  const signal = new AbortController().signal
  const order = () => readFile(join(folder, 'ringward-executer.service.d/order.conf'), 'utf8')
  const scopes = () => readFile(join(folder, 'machine-.scope.d/ringward.conf'), 'utf8')
  let folder: string
  let calls: string[]
  let log: ReturnType<typeof recordedLog>
  /** systemd, played: it knows how mount points are called, and says nothing to a reload. */
  let command: typeof run
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringward-order-'))
    log = recordedLog()
    calls = []
    command = (program, args) => {
      calls.push([program, ...args].join(' '))
      return Promise.resolve({ status: 0, stdout: program === 'systemd-escape' ? 'srv-ringward.mount srv.mount\n' : '', stderr: '' })
    }
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const set = (libvirt: boolean, daemons: readonly string[] = ['postfix', 'dovecot.service']) => orderShutdown({ daemons, share: '/srv/ringward', libvirt, log, folder, command }, signal)

  it('is: the Executer, then the daemons, then the mount of the shared area', async () => {
    await set(false, ['postfix', 'dovecot.service', 'x y', '-z'])
    expect(await order()).toMatch(/\n\[Unit\]\nAfter=postfix\.service dovecot\.service srv-ringward\.mount srv\.mount\n$/)
    expect(await readdir(folder)).toEqual(['ringward-executer.service.d'])
    expect(calls).toEqual(['systemd-escape --path --suffix=mount /srv/ringward /srv', 'systemctl daemon-reload'])
    expect(log.lines).toEqual([])
  })

  it('where libvirt runs machines, they and its services end after the Executer as well', async () => {
    await set(true)
    expect(await order()).toMatch(/\n\[Unit\]\nAfter=postfix\.service dovecot\.service libvirtd\.service virtqemud\.service virtlogd\.service libvirt-guests\.service virt-guest-shutdown\.target srv-ringward\.mount srv\.mount\n$/)
    expect(await scopes()).toMatch(/\n\[Unit\]\nBefore=ringward-executer\.service\n$/)
    expect(calls.filter(call => call.startsWith('systemctl'))).toEqual(['systemctl daemon-reload'])
  })

  it('is read by systemd anew only when it changes, and goes with libvirt', async () => {
    await set(true)
    await set(true)
    expect(calls.filter(call => call.startsWith('systemctl'))).toHaveLength(1)
    await set(false)
    expect(calls.filter(call => call.startsWith('systemctl'))).toHaveLength(2)
    expect(await order()).not.toContain('libvirt')
    await expect(scopes()).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('a systemd that does not take it is told, and nothing else happens', async () => {
    command = program => Promise.resolve(program === 'systemctl' ? { status: 1, stdout: '', stderr: 'no bus\n' } : { status: 0, stdout: '', stderr: '' })
    await set(true)
    expect(log.lines).toEqual(['! the order of the shutdown could not be set (no bus): at a reboot the services may stop before they are handed over'])
  })
})
