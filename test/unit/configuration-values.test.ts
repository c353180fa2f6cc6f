import { describe, expect, it } from 'vitest'
import { nearest } from '../../src/configuration/nearest.ts'
import { durationText, readAddress, readAddressWithPrefix, readDevice, readDuration, readHostName, readMac, readName, readSshKey, readUnit } from '../../src/configuration/values.ts'

describe('values', () => {
  it.each([['200ms', 200], ['1s', 1_000], ['2.5 s', 2_500], ['2m', 120_000], ['1h', 3_600_000]])('duration %s', (text, value) => {
    expect(readDuration(text, 0, 1e9)).toEqual({ value })
    expect(readDuration(durationText(value), 0, 1e9)).toEqual({ value })
  })
  it.each(['', '1', 's', '-1s', '1d', '1e3s', '1s ', '١s'])('no duration: %j', text => {
    expect(readDuration(text, 0, 1e9)).toHaveProperty('wrong')
  })

  it.each(['192.0.2.1', '10.0.0.0', '223.255.255.255'])('address %s', value => {
    expect(readAddress(value)).toEqual({ value })
  })
  it.each(['0.0.0.1', '224.0.0.1', '255.255.255.255', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4/24', 'fe80::1', '1.2.3.4 '])('no address: %j', text => {
    expect(readAddress(text)).toHaveProperty('wrong')
  })

  it.each([['192.0.2.21/24', 24], ['192.0.2.0/31', 31], ['192.0.2.255/32', 32], ['192.0.2.255/16', 16], ['10.1.2.3/1', 1]])('VIP %s', (text, prefix) => {
    expect(readAddressWithPrefix(text)).toEqual({ value: { address: text.split('/')[0], prefix } })
  })
  it.each(['192.0.2.0/24', '192.0.2.255/24', '192.0.255.255/16', '192.0.2.21', '192.0.2.21/', '192.0.2.21/0', '192.0.2.21/33', '192.0.2.21/24/24', '/24'])('no VIP: %j', text => {
    expect(readAddressWithPrefix(text)).toHaveProperty('wrong')
  })

  it('MAC addresses come out in lower case', () => {
    expect(readMac('52:54:00:AB:CD:EF')).toEqual({ value: '52:54:00:ab:cd:ef' })
    for (const text of ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '52:54:00:ab:cd', '52:54:00:ab:cd:ef:00', '5254.00ab.cdef']) expect(readMac(text)).toHaveProperty('wrong')
  })

  it('names, units, devices and host names never begin with a dash nor hold a separator', () => {
    for (const read of [readName, readUnit, readDevice, readHostName]) {
      for (const text of ['-a', 'a/b', '../a', '', 'a b', 'a\n', 'a;b', '$a', 'x'.repeat(300)]) expect(read(text), text).toHaveProperty('wrong')
      expect(read('a1')).toEqual({ value: 'a1' })
    }
    expect(readUnit('postgresql@15-main.service')).toEqual({ value: 'postgresql@15-main.service' })
    expect(readName('Mail')).toHaveProperty('wrong')
  })

  it('SSH keys lose their comment', () => {
    const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'b'.repeat(43)}`
    expect(readSshKey(`${key} root@mail1\n`)).toEqual({ value: key })
    for (const text of [key.slice(0, -1), `command="x" ${key}`, 'ssh-rsa AAAAB3NzaC1yc2E', `${key}b`]) expect(readSshKey(text)).toHaveProperty('wrong')
  })
})

describe('the word that was meant', () => {
  const words = ['address', 'mac', 'vip', 'priority', 'daemons', 'smtp']
  it.each([['adress', 'address'], ['VIP', 'vip'], ['priorty', 'priority'], ['daemon', 'daemons'], ['smpt', 'smtp'], ['colour', undefined], ['x', undefined], ['', undefined], ['v'.repeat(10_000), undefined]])('%s', (word, meant) => {
    expect(nearest(word, words)).toBe(meant)
  })
})
