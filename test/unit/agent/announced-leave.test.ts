import { describe, expect, it } from 'vitest'
import { leaveAnnounced } from '../../../agent/announced-leave.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { claimOf, Harness, virtual } from '../core/harness.ts'

/** ftp leaves; its function is claimed for web1 at once. What the guard was asked, and when, in the order of events. */
async function leaves(successor: (harness: Harness) => void): Promise<string[]> {
  const harness = Harness.settled('ftp')
  const order: string[] = []
  setTimeout(() => {
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.state.giving.delete('ftp')
    harness.run(1_000)
    order.push('handed over')
  }, 30)
  setTimeout(() => {
    successor(harness)
    harness.run(1_000)
    order.push('looked again')
  }, 120)
  await leaveAnnounced({
    state: harness.state, clock: new SystemClock(), writing: () => 0, post: () => undefined, note: () => undefined,
    guard: { request: request => { order.push(`guard: ${request.verb}`); return Promise.resolve({ reply: 1, ok: true }) } },
  }, 'shutdown')
  return order
}

describe('an announced leave', () => {
  it('says goodbye when the successor serves: not in the moment in which it takes the address', async () => {
    expect(await leaves(harness => harness.host('web1').giving.push(virtual('ftp', 2)))).toEqual(['handed over', 'looked again', 'guard: leave'])
  })

  it('waits for a successor that does not start for a second at most', async () => {
    expect(await leaves(() => undefined)).toEqual(['handed over', 'looked again', 'guard: leave'])
  })

  it('does not wait for what nobody took', async () => {
    const harness = Harness.settled('ftp')
    harness.state.giving.clear()
    const asked: string[] = []
    await leaveAnnounced({
      state: harness.state, clock: new SystemClock(), writing: () => 0, post: () => undefined, note: text => asked.push(text),
      guard: { request: () => Promise.resolve({ reply: 1, ok: true }) },
    }, 'reboot')
    expect(asked).toEqual(['Goodbye: this host gives nothing any more'])
  })
})
