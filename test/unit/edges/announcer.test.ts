import { describe, expect, it } from 'vitest'
import { ArpingAnnouncer } from '../../../src/edges/address/arping-announcer.ts'
import { SystemClock } from '../../../src/edges/clock.ts'

const clock = new SystemClock()
const signal = new AbortController().signal

describe('the announcer', () => {
  it('says so when it cannot ask or announce', async () => {
    const problem = new Promise<string>(resolve => {
      const announcer = new ArpingAnnouncer(clock, text => {
        resolve(text)
        void announcer.stop()
      })
      announcer.announce('192.0.2.1', 'nodevice0')
    })
    expect(await problem).toBe('192.0.2.1 was not announced on nodevice0: arping: Device nodevice0 not available.')
    const announcer = new ArpingAnnouncer(clock, () => undefined)
    await expect(announcer.inUse('192.0.2.1', 'nodevice0', signal)).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    await expect(announcer.inUse('192.0.2.1', 'lo', AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
    await announcer.stop()
  })

  it('never stacks more than two processes for an address nor sixteen addresses, and ends them at stop', async () => {
    const announcer = new ArpingAnnouncer(clock, () => undefined)
    for (let turn = 0; turn < 5; turn += 1) announcer.announce('192.0.2.1', 'nodevice0')
    expect(announcer.active).toBe(2)
    for (let host = 0; host < 20; host += 1) announcer.announce(`192.0.2.${host}`, 'nodevice0')
    expect(announcer.active).toBe(32)
    await announcer.stop()
    expect(announcer.active).toBe(0)
    announcer.announce('192.0.2.1', 'nodevice0')
    expect(announcer.active).toBe(0)
  })
})
