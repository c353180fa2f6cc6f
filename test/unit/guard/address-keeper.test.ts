import { describe, expect, test } from 'vitest'
import { MemoryAddressControl, type HostAddress } from '../../../src/guard/address-control.ts'
import { AddressKeeper } from '../../../src/guard/address-keeper.ts'

const address: HostAddress = { vip: '10.0.0.5', prefix: 24, device: 'host0' }

describe('address keeper', () => {
  test('a renewal on its way does not bring a removed address back', async () => {
    const control = new MemoryAddressControl()
    const keeper = new AddressKeeper(control)
    await Promise.all([keeper.put(address, () => 2), keeper.put(address, () => 3), keeper.remove(address)])
    expect(keeper.present(address)).toBe(false)
    await Promise.all([keeper.remove(address), keeper.put(address, () => 'forever')])
    expect(control.lives.get(address.vip)).toBe('forever')
  })

  test('the life is asked at the last moment and may be none', async () => {
    const control = new MemoryAddressControl()
    const keeper = new AddressKeeper(control)
    let life: number | undefined = 2
    const put = keeper.put(address, () => life)
    life = undefined
    await put
    expect(keeper.present(address)).toBe(false)
  })

  test('a removal that fails is repeated until it is done', async () => {
    const control = new MemoryAddressControl()
    const keeper = new AddressKeeper(control)
    await keeper.put(address, () => 2)
    control.failure = 'device is busy'
    const removal = keeper.remove(address)
    setTimeout(() => { control.failure = undefined }, 250)
    await removal
    expect(keeper.present(address)).toBe(false)
  })

  test('a change that fails does not hold up the next', async () => {
    const control = new MemoryAddressControl()
    const keeper = new AddressKeeper(control)
    control.failure = 'no such device'
    await expect(keeper.put(address, () => 2)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    control.failure = undefined
    await keeper.put(address, () => 2)
    expect(keeper.present(address)).toBe(true)
  })
})
