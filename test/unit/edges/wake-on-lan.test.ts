import { createSocket } from 'node:dgram'
import { describe, expect, it } from 'vitest'
import { broadcastAddress, magicPacket, wake } from '../../../src/edges/power/wake-on-lan.ts'

const MAC = '52:54:00:ab:CD:0f'

describe('the magic packet', () => {
  it('is right in each of its 102 bytes', () => {
    const packet = magicPacket(MAC)
    const mac = [0x52, 0x54, 0x00, 0xab, 0xcd, 0x0f]
    expect([...packet]).toEqual([...Array<number>(6).fill(0xff), ...Array.from({ length: 16 }, () => mac).flat()])
    expect(magicPacket('52-54-00-AB-CD-0F')).toEqual(packet)
  })

  it.each(['', '52:54:00:ab:cd', '52:54:00:ab:cd:0f:11', '52:54:00:ab:cd:0g', '52:54-00:ab:cd:0f', '525400abcd0f', '52:54:00:ab:cd:0f\n'])('refuses "%s"', mac => {
    expect(() => magicPacket(mac)).toThrow(/is not a MAC address/)
  })
})

describe('the broadcast address', () => {
  it.each([
    ['10.0.0.7', '255.255.255.0', '10.0.0.255'],
    ['192.168.5.130', '255.255.255.128', '192.168.5.255'],
    ['172.16.9.1', '255.240.0.0', '172.31.255.255'],
    ['10.1.2.3', '255.255.255.255', '10.1.2.3'],
  ])('of %s/%s is %s', (address, netmask, broadcast) => {
    expect(broadcastAddress(address, netmask)).toBe(broadcast)
  })
})

describe('waking', () => {
  it('sends three packets to port 9 of the subnet of the given address', async () => {
    const heard: Buffer[] = []
    const listener = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>(resolve => listener.bind(9, '127.255.255.255', resolve))
    const all = new Promise<void>(resolve => listener.on('message', (packet, from) => {
      expect(from.address).toBe('127.0.0.1')
      if (heard.push(packet) === 3) resolve()
    }))
    await wake(MAC, '127.0.0.1', new AbortController().signal)
    await all
    expect(heard).toEqual([magicPacket(MAC), magicPacket(MAC), magicPacket(MAC)])
    await new Promise<void>(resolve => listener.close(resolve))
  })

  it('refuses an address this host does not have', async () => {
    await expect(wake(MAC, '203.0.113.9', new AbortController().signal)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })

  it('is called off', async () => {
    await expect(wake(MAC, '127.0.0.1', AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
