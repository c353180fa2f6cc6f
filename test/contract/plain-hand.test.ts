/** One contract for every hand on a target without an agent: in memory, and over SSH with a real sh before four kinds of systems. */
import { describe, expect, it } from 'vitest'
import { MemoryAppliance, MemoryPlainHand } from '../../src/edges/remote-hand/memory-appliance.ts'
import { startFakeSystem, type FakeFamily } from './support/fake-system.ts'
import { plainHandContract, type PlainWorld } from './support/plain-hand-contract.ts'

function memoryWorld(): PlainWorld {
  const appliance = new MemoryAppliance('192.0.2.13', ['nginx'])
  const vip = '192.0.2.23'
  return {
    hand: new MemoryPlainHand(new Map([['web', appliance]])),
    target: { name: 'web', address: '192.0.2.13', ssh_host_key: '', user: 'root', port: 22, vip, vip_prefix: 24 },
    daemon: 'nginx',
    hasVip: () => Promise.resolve(appliance.addresses.has(vip)),
    addVip: () => Promise.resolve(void appliance.addresses.add(vip)),
    daemonRuns: () => Promise.resolve(appliance.daemons.get('nginx') === 'running'),
    stopDaemon: () => Promise.resolve(void appliance.daemons.set('nginx', 'stopped')),
    unplug: () => Promise.resolve(void (appliance.reachable = false)),
    end: () => Promise.resolve(),
  }
}

const FAMILIES: readonly FakeFamily[] = ['systemd', 'OpenRC', 'sysvinit', 'FreeBSD']

plainHandContract('in memory', () => Promise.resolve(memoryWorld()))
for (const family of FAMILIES) plainHandContract(`over SSH, ${family}`, () => startFakeSystem(family))

describe('what a target is asked to run', () => {
  const EXPECTED: Readonly<Record<FakeFamily, readonly string[]>> = {
    systemd: ['ip addr add 192.0.2.23/24 dev eth0', 'arping -q -U -c 2 -I eth0 192.0.2.23', 'ip addr del 192.0.2.23/24 dev eth0', 'systemctl reset-failed nginx', 'systemctl restart nginx', 'systemctl is-active nginx'],
    OpenRC: ['ip addr add 192.0.2.23/24 dev eth0', 'arping -q -U -c 2 -I eth0 192.0.2.23', 'ip addr del 192.0.2.23/24 dev eth0', 'rc-service nginx restart', 'rc-service nginx status'],
    sysvinit: ['ip addr add 192.0.2.23/24 dev eth0', 'arping -q -U -c 2 -I eth0 192.0.2.23', 'ip addr del 192.0.2.23/24 dev eth0', 'service nginx restart'],
    FreeBSD: ['ifconfig em0 inet 192.0.2.23/32 alias', 'ifconfig em0 inet 192.0.2.23 -alias', 'service nginx onerestart', 'service nginx onestatus'],
  }

  it.each(FAMILIES)('%s', async family => {
    const world = await startFakeSystem(family)
    const { signal } = new AbortController()
    try {
      for (const order of [{ verb: 'give', epoch: 1 }, { verb: 'release', epoch: 1 }, { verb: 'restart-daemon', daemon: 'nginx' }] as const) {
        expect(await world.hand.run(world.target, order, 20_000, signal)).toMatchObject({ ok: true })
      }
      const looks = /^(id|uname)|is-system-running|^ip -o|^ifconfig -a/
      expect((await world.calls()).filter(call => !looks.test(call))).toEqual(EXPECTED[family])
    } finally {
      await world.hand.close()
      await world.end()
    }
  })

  it('refuses to send a name that could mean anything to a shell', async () => {
    const world = await startFakeSystem('systemd')
    const { signal } = new AbortController()
    try {
      for (const daemon of ["x'; reboot; '", '-x', 'a b', '$(id)', '']) {
        expect(await world.hand.run(world.target, { verb: 'restart-daemon', daemon }, 20_000, signal)).toMatchObject({ ok: false, detail: expect.stringContaining('is not allowed') })
      }
      expect((await world.calls()).filter(call => call.includes('restart'))).toEqual([])
    } finally {
      await world.hand.close()
      await world.end()
    }
  })
})
