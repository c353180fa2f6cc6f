import { describe, expect, test } from 'vitest'
import type { VirtualServer } from '../../../../src/core/inventory.ts'
import { networkOf, placesOf, qemuArguments, statePath, type Machine } from '../../../../src/edges/hypervisor/qemu-arguments.ts'

const server: VirtualServer = { name: 'ftp-v', address: '10.0.0.21', memory_mb: 128, cpus: 1, image: 'ftp', standby: 'saved', stateless: true }
const machine: Machine = { server, accelerator: 'tcg', network: { prefix: 24 } }

describe('saved state', () => {
  test('has a name of its own for everything the guest can see', () => {
    const others: Machine[] = [
      machine, { ...machine, accelerator: 'kvm' }, { ...machine, network: { prefix: 16 } }, { ...machine, network: { prefix: 24, gateway: '10.0.0.1' } },
      { ...machine, server: { ...server, address: '10.0.0.22' } }, { ...machine, server: { ...server, memory_mb: 256 } }, { ...machine, server: { ...server, cpus: 2 } },
    ]
    const paths = others.map(other => statePath('/srv/ringward/vm', other))
    expect(new Set(paths).size).toBe(others.length)
    expect(paths[0]).toMatch(/^\/srv\/ringward\/vm\/ftp\/ftp-v\.tcg\.[0-9a-f]{12}\.state$/)
  })

  test('does not depend on how the machine waits', () => {
    expect(statePath('/srv', { ...machine, server: { ...server, standby: 'warm' } })).toBe(statePath('/srv', machine))
  })
})

describe('the network of the virtual servers', () => {
  test('is the segment and the gateway of the ring\'s configuration', () => {
    expect(networkOf({ prefix_length: 26 })).toEqual({ prefix: 26 })
    expect(networkOf({ prefix_length: 24, gateway: '10.0.0.1' })).toEqual({ prefix: 24, gateway: '10.0.0.1' })
  })

  test('reaches the guest', () => {
    const network = networkOf({ prefix_length: 26, gateway: '10.0.0.1' })
    expect(qemuArguments({ ...machine, network }, placesOf('/run', server.name), { image_directory: '/srv/vm/ftp' }).join(' ')).toContain('guest_address=10.0.0.21/26 guest_gateway=10.0.0.1')
  })
})

describe('command line', () => {
  const places = placesOf('/run/ringward/vm', server.name)

  test('the guest sees the same machine whether it boots or loads', () => {
    const seen = (args: string[]) => args.filter((_, index) => ['-machine', '-cpu', '-m', '-smp', '-device', '-serial'].includes(args[index - 1] ?? ''))
    expect(seen(qemuArguments(machine, places, 'incoming'))).toEqual(seen(qemuArguments(machine, places, { image_directory: '/srv/vm/ftp' })))
  })

  test('a tap name fits the kernel and is another for another server', () => {
    expect(places.tap.length).toBeLessThanOrEqual(15)
    expect(placesOf('/run', 'web1-v').tap).not.toBe(places.tap)
  })

  test.each(['', '.', '..', 'a/b', '-a', 'a b', 'a;b', 'a$b', 'a..b', 'x'.repeat(64)])('refuses the name %j', name => {
    expect(() => placesOf('/run', name)).toThrow('may not be the name')
  })

  test.each(['/srv/a b', '/srv/$(id)', 'relative', '/srv;x', '/srv\n'])('refuses the folder %j', folder => {
    expect(() => statePath(folder, machine)).toThrow('choose another folder')
  })

  test.each(['10.0.0', '10.0.0.1,x=y', '::1', ''])('refuses the address %j', address => {
    expect(() => statePath('/srv', { ...machine, server: { ...server, address } })).toThrow('no IPv4 address')
  })
})
