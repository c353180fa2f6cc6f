import { describe, expect, it } from 'vitest'
import { NetworkWatch } from '../../../executer/network-service.ts'
import { recordedLog } from './publication-kit.ts'

describe('the watch of the network service', () => {
  const signal = new AbortController().signal

  function watchOf(states: string[]) {
    const log = recordedLog()
    const calls: string[] = []
    const clock = { now_ms: 0 }
    const watch = new NetworkWatch({ log, boot_ms: () => clock.now_ms, systemctl: args => {
      calls.push(args.join(' '))
      const state = args[0] === 'is-active' ? states.shift() ?? 'active' : ''
      return Promise.resolve({ status: state === 'active' || state === '' ? 0 : 3, stdout: `${state}\n`, stderr: '' })
    } })
    return { watch, log, calls, clock }
  }

  it('restarts it when it has failed, and only then', async () => {
    const { watch, calls } = watchOf(['active', 'inactive', 'activating', 'failed', 'active'])
    for (let look = 0; look < 5; look++) await watch.look('systemd-networkd', signal)
    expect(calls.filter(call => call.startsWith('restart'))).toEqual(['restart -- systemd-networkd'])
  })

  it('restarts it three times in ten minutes and no more', async () => {
    const { watch, calls, clock, log } = watchOf(Array<string>(70).fill('failed'))
    for (let look = 0; look < 60; look++) {
      clock.now_ms += 10_000
      await watch.look('systemd-networkd', signal)
    }
    expect(calls.filter(call => call.startsWith('restart')).length).toBe(3)
    expect(log.lines.at(-1)).toMatch(/not restarted for now/)
    clock.now_ms += 10_000
    await watch.look('systemd-networkd', signal)
    expect(calls.filter(call => call.startsWith('restart')).length).toBe(4)
  })

  it('goes on when systemctl gives no answer', async () => {
    const log = recordedLog()
    const watch = new NetworkWatch({ log, boot_ms: () => 0, systemctl: () => Promise.reject(new Error('it did not end')) })
    await watch.look('networking', signal)
    expect(log.lines).toEqual(['! network service networking: it did not end'])
  })
})
