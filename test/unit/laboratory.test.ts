import { describe, expect, it } from 'vitest'
import { cutsOf, type Attempt } from '../../scripts/laboratory/client.ts'
import { durationMs } from '../../scripts/laboratory/durations.ts'
import { machineMac, machineName } from '../../scripts/laboratory/evidence.ts'
import { isOvertaken } from '../../scripts/laboratory/faults.ts'
import { DEFAULT_HOSTS, planHosts, readHosts } from '../../scripts/laboratory/hosts.ts'
import { programOf } from '../../scripts/laboratory/programs.ts'
import { magicAddress } from '../../scripts/laboratory/wake-listener.ts'

const attempt = (started: number, ok: boolean, took_ms = 10): Attempt => ({ started, ended: started + took_ms, ok, reason: ok ? 'ok' : 'no answer in time' })

describe('the client of the lab', () => {
  it('measures a cut from the start of the last good attempt to the answer of the first good one after', () => {
    const cuts = cutsOf([attempt(0, true), attempt(100, true), attempt(200, false, 1_000), attempt(300, false, 1_000), attempt(400, true, 500)])
    expect(cuts).toEqual([{ start: new Date(100).toISOString(), end: new Date(900).toISOString(), ms: 800, reason: 'no answer in time' }])
  })

  it('reports a cut that is not over when it stops, and one that was there from the start', () => {
    expect(cutsOf([attempt(0, true), attempt(100, false, 1_000)])).toMatchObject([{ end: null, ms: 1_100 }])
    expect(cutsOf([attempt(0, false), attempt(100, true)])).toMatchObject([{ start: new Date(0).toISOString(), ms: 110 }])
  })

  it('finds no cut where every attempt is good', () => {
    expect(cutsOf([attempt(0, true), attempt(100, true)])).toEqual([])
  })
})

describe('a virtual server seen from outside', () => {
  const qemu = ['qemu-system-x86_64', '-name', 'ftp-v', '-nodefaults', '-device', 'virtio-net-pci,netdev=net0,mac=52:54:0a:00:00:15,romfile=']
  const libvirt = ['/usr/bin/qemu-system-x86_64', '-name', 'guest=ringward-ftp-v,debug-threads=on', '-S', '-device', '{"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"52:54:0a:00:00:15","bus":"pci.0"}']

  it('is the same whatever runs it', () => {
    for (const args of [qemu, libvirt]) expect([machineName(args), machineMac(args)]).toEqual(['ftp-v', '52:54:0a:00:00:15'])
  })

  it('is not a program that only asks what QEMU can do', () => {
    expect(machineName(['qemu-system-x86_64', '-name', 'ringward-accelerator-probe'])).toBeUndefined()
    expect(machineName(['/usr/bin/qemu-system-x86_64', '-S', '-no-user-config', '-nodefaults', '-nographic', '-machine', 'none,accel=tcg'])).toBeUndefined()
  })
})

describe('a daemon that the lab stops', () => {
  it('has stopped as well when the restart of whoever watches it comes first', () => {
    expect(isOvertaken('Job for postfix@-.service canceled.\n')).toBe(true)
    expect(isOvertaken('Job for postfix.service canceled.\nJob for postfix@-.service canceled.\n')).toBe(true)
  })

  it('has not when systemd says anything else, or nothing', () => {
    expect(isOvertaken('')).toBe(false)
    expect(isOvertaken('Failed to stop postfix.service: Unit postfix.service not loaded.\n')).toBe(false)
    expect(isOvertaken('Job for postfix@-.service canceled.\nFailed to stop postfix.service: Connection timed out\n')).toBe(false)
  })
})

describe('the plan of the hosts', () => {
  it('gives every host addresses and a MAC address of its own', () => {
    const plan = planHosts(DEFAULT_HOSTS)
    const all = plan.flatMap(host => [host.address, host.vip, host.virtual_address, host.mac])
    expect(new Set(all).size).toBe(4 * DEFAULT_HOSTS.length)
    expect(plan[2]).toMatchObject({ name: 'ftp', daemon: 'vsftpd', port: 21, address: '10.77.0.13', vip: '10.77.0.113', virtual_address: '10.77.0.213', mac: '52:77:00:00:00:0d' })
  })

  it('knows the kind of service by the name before the number, and twelve names of its own', () => {
    expect(planHosts(['mail', 'mail2', 'web12']).map(host => [host.name, host.daemon])).toEqual([['mail', 'postfix'], ['mail2', 'postfix'], ['web12', 'nginx']])
    expect(readHosts('ftp,mail')).toEqual(['ftp', 'mail'])
    expect(readHosts('6')).toEqual(DEFAULT_HOSTS)
    expect(planHosts(readHosts('12')).map(host => host.name).slice(6)).toEqual(['mail2', 'login2', 'ftp2', 'proxy2', 'web3', 'web4'])
    expect(() => readHosts('13')).toThrow('1 to 12')
  })

  it('refuses a host it has no service for, one host twice, and a ring of none', () => {
    expect(() => planHosts(['mail', 'dns'])).toThrow('no host "dns"')
    expect(() => planHosts(['mail', 'mail'])).toThrow('twice')
    expect(() => planHosts([])).toThrow('1 to 12')
  })
})

describe('a magic packet', () => {
  const mac = Buffer.from('52770000000d', 'hex')
  const packet = Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => mac)])

  it('names the address to wake', () => {
    expect(magicAddress(packet)).toBe('52:77:00:00:00:0d')
    expect(magicAddress(Buffer.concat([packet, Buffer.alloc(6)]))).toBe('52:77:00:00:00:0d')
  })

  it('is nothing else', () => {
    expect(magicAddress(packet.subarray(1))).toBeUndefined()
    const torn = Buffer.from(packet)
    torn[60] = 1
    expect(magicAddress(torn)).toBeUndefined()
    expect(magicAddress(Buffer.alloc(0))).toBeUndefined()
  })
})

describe('ringward\'s programs by their command lines', () => {
  it('tells the guard from its watchdog', () => {
    expect(programOf(['node', '/var/lib/ringward/program/1/guard.mjs', '--host', 'mail'])).toBe('guard')
    expect(programOf(['node', '/var/lib/ringward/program/1/guard.mjs', '--watchdog'])).toBe('watchdog')
    expect(programOf(['node', '/usr/local/lib/ringward/executer.mjs'])).toBe('executer')
    expect(programOf(['sshd:'])).toBeUndefined()
  })
})

describe('durations', () => {
  it('reads units and refuses anything else', () => {
    expect([durationMs('100ms'), durationMs('1.5s'), durationMs('2m'), durationMs('3')]).toEqual([100, 1_500, 120_000, 3_000])
    expect(() => durationMs('soon')).toThrow('not a duration')
  })
})
