import { describe, expect, it } from 'vitest'
import { barScript, giveScript, parseAnswer, rebootScript, removeScript, restartScript } from '../../../src/edges/remote-hand/plain-scripts.ts'
import { parseAddresses, parseSystem } from '../../../src/edges/remote-hand/plain-system.ts'

describe('what system a target is', () => {
  it.each([
    ['Debian', 'kernel Linux\ntool systemctl\ntool service\ntool ip\nsystemd running\nfolder /etc/init.d\nend 0\n', { kernel: 'Linux', services: 'systemd', addresses: 'ip' }],
    ['Debian with a failed unit', 'kernel Linux\ntool systemctl\ntool ip\nsystemd degraded\nend 0\n', { kernel: 'Linux', services: 'systemd', addresses: 'ip' }],
    ['Devuan with systemctl left over', 'kernel Linux\ntool systemctl\ntool service\ntool ip\ntool ifconfig\nsystemd offline\nfolder /etc/init.d\nend 0\n', { kernel: 'Linux', services: 'sysvinit', addresses: 'ip' }],
    ['Alpine', 'kernel Linux\ntool rc-service\ntool ip\ntool ifconfig\nsystemd \nfolder /etc/init.d\nend 0\n', { kernel: 'Linux', services: 'OpenRC', addresses: 'ip' }],
    ['a small Linux', 'kernel Linux\ntool ip\nsystemd \nfolder /etc/init.d\nend 0\n', { kernel: 'Linux', services: 'sysvinit', addresses: 'ip' }],
    ['FreeBSD', 'kernel FreeBSD\ntool service\ntool ifconfig\nsystemd \nend 0\n', { kernel: 'FreeBSD', services: 'FreeBSD rc', addresses: 'ifconfig' }],
    ['something else', 'kernel AIX\nsystemd \nend 0\n', { kernel: 'AIX' }],
  ])('%s', (_, text, system) => {
    expect(parseSystem(text)).toEqual(system)
  })

  it.each(['', 'kernel Linux\ntool ip\n', 'This account is currently not available.\n', 'kernel $(reboot)\nend 0\n'])('is not known from %j', text => {
    expect(parseSystem(text)).toBeUndefined()
  })
})

describe('the addresses of a target', () => {
  it('as iproute2 writes them', () => {
    expect(parseAddresses([
      '1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever',
      '2: eth0    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever preferred_lft forever',
      '2: eth0    inet 192.0.2.21/24 scope global secondary eth0\\       valid_lft forever preferred_lft forever',
      '5: ppp0    inet 10.0.0.1 peer 10.0.0.2/32 scope global ppp0\\       valid_lft forever preferred_lft forever', '',
    ].join('\n'), 'ip')).toEqual([
      { device: 'lo', address: '127.0.0.1', prefix: 8 }, { device: 'eth0', address: '192.0.2.11', prefix: 24 },
      { device: 'eth0', address: '192.0.2.21', prefix: 24 }, { device: 'ppp0', address: '10.0.0.1', prefix: 32 },
    ])
  })

  it('as busybox writes them', () => {
    expect(parseAddresses('2: eth0    inet 192.0.2.11/24 scope global eth0\\       valid_lft forever preferred_lft forever\n', 'ip')).toEqual([{ device: 'eth0', address: '192.0.2.11', prefix: 24 }])
  })

  it('as FreeBSD writes them', () => {
    expect(parseAddresses([
      'em0: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500', '\toptions=4e504bb<RXCSUM,TXCSUM,VLAN_MTU>', '\tether 08:00:27:1f:be:05',
      '\tinet 192.0.2.11 netmask 0xffffff00 broadcast 192.0.2.255', '\tinet 192.0.2.21 netmask 0xffffffff broadcast 192.0.2.21', '\tinet6 fe80::1%em0 prefixlen 64 scopeid 0x1', '\tmedia: Ethernet autoselect',
      'lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST,LOWER_UP> metric 0 mtu 16384', '\tinet6 ::1 prefixlen 128', '\tinet 127.0.0.1 netmask 0xff000000', '\tgroups: lo', '',
    ].join('\n'), 'ifconfig')).toEqual([
      { device: 'em0', address: '192.0.2.11', prefix: 24 }, { device: 'em0', address: '192.0.2.21', prefix: 32 }, { device: 'lo0', address: '127.0.0.1', prefix: 8 },
    ])
  })

  it('are not believed when a device has an impossible name', () => {
    expect(parseAddresses('2: $(reboot)    inet 192.0.2.11/24 scope global\n', 'ip')).toBeUndefined()
  })
})

describe('the scripts', () => {
  const LINUX = { kernel: 'Linux', services: 'systemd', addresses: 'ip' } as const

  it.each([
    ['an address', () => barScript(LINUX, "192.0.2.1'; reboot", 1)],
    ['an epoch', () => barScript(LINUX, '192.0.2.1', -1)],
    ['a device', () => giveScript(LINUX, { device: 'eth0;reboot', address: '192.0.2.1', prefix: 24 }, 1)],
    ['a prefix length', () => removeScript(LINUX, [{ device: 'eth0', address: '192.0.2.1', prefix: NaN }])],
    ['a daemon', () => restartScript('OpenRC', '--help')],
  ])('refuse %s that is none', (_, make) => {
    expect(make).toThrow('is not allowed in a command')
  })

  it('name what they touch in single quotes only', () => {
    expect(restartScript('systemd', 'postfix@-')).toContain("$as systemctl restart 'postfix@-' && systemctl is-active 'postfix@-'")
    expect(rebootScript('FreeBSD rc')).toContain('( sleep 1; $as shutdown -r now || $as reboot )')
  })

  it('answer with their status last; what is cut off is no answer', () => {
    expect(parseAnswer('warning\naddresses\n1: lo    inet 127.0.0.1/8\nend 0\n')).toEqual({ status: 0, said: 'warning', addresses: '1: lo    inet 127.0.0.1/8\n' })
    expect(parseAnswer('end 5\n')).toEqual({ status: 5, said: '', addresses: '' })
    expect(parseAnswer('addresses\n1: lo    inet 127.0.0.1/8\n')).toBeUndefined()
    expect(parseAnswer('')).toBeUndefined()
  })
})
