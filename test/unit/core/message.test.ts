import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMessage, type Message } from '../../../src/core/message.ts'
import { conditionOf, Harness, native, virtual } from './harness.ts'

const load = { memory_kb: 1, cpu_idle_percent: 2, network_kb_per_s: 3 }
const capacity = { memory_kb: 1, cores: 2, network_rated_kb_per_s: 3 }

const MESSAGES: readonly Message[] = [
  { kind: 'S', round: 3 }, { kind: 'R', target: 'ftp', incident: '' }, { kind: 'U', target: 'ftp', incident: 'i' }, { kind: 'D', target: 'ftp', incident: 'i' },
  { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' },
  { kind: 'progress', incident: 'i', function: 'ftp', epoch: 1, stage: 'declined', detail: 'no room' },
  { kind: 'withdraw', function: 'ftp', epoch: 1 }, { kind: 'return', incident: 'i', function: 'ftp', epoch: 2, to: 'ftp', generation: 3 },
  { kind: 'yield', function: 'ftp', epoch: 1 }, { kind: 'look' }, { kind: 'probe-request', request: 1, target: 'ftp' },
  { kind: 'probe-answer', request: 1, target: 'ftp', answered: true }, { kind: 'promise-request', request: 1, epoch: 1 }, { kind: 'promise', request: 1 },
  { kind: 'consent-request', request: 1, holder: 'ftp' }, { kind: 'consent', request: 1, free_ms: 2 },
  { kind: 'condition', generation: 1, sequence: 2, version: '7', giving: [native('ftp'), virtual('web1', 2)], watches: [{ target: 'mail', priority: 1, mode: 'regular' }], load: { average: load, forecast: load, capacity } },
]

describe('parseMessage', () => {
  it.each(MESSAGES)('takes what a core sends: $kind', message => {
    expect(parseMessage(structuredClone(message))).toEqual(message)
  })

  it.each(MESSAGES.filter(message => Object.keys(message).length > 1))('refuses it with any field missing: $kind', message => {
    for (const field of Object.keys(message).filter(name => name !== 'load')) {
      expect(parseMessage(Object.fromEntries(Object.entries(message).filter(([name]) => name !== field))), field).toBeUndefined()
    }
  })

  it.each(MESSAGES.filter(message => Object.keys(message).length > 1))('refuses it with a field of another kind: $kind', message => {
    for (const field of Object.keys(message)) {
      for (const value of [null, {}, [1], Number.NaN, Infinity, 'x'.repeat(513)]) expect(parseMessage({ ...message, [field]: value }), field).toBeUndefined()
    }
  })

  it('refuses kinds that are none, those of Object.prototype too', () => {
    for (const kind of ['toString', '__proto__', 'constructor', 'hasOwnProperty', '', 'claim', 7, null]) expect(parseMessage({ kind })).toBeUndefined()
    for (const value of [undefined, null, 1, 'S', [], [{ kind: 'look' }], () => ({ kind: 'look' })]) expect(parseMessage(value)).toBeUndefined()
  })

  it('refuses a list longer than any ring', () => {
    const condition = MESSAGES.at(-1)!
    expect(parseMessage({ ...condition, giving: Array.from({ length: 1_025 }, () => native('ftp')) })).toBeUndefined()
    expect(parseMessage({ ...condition, program: { version: '7' } })).toBeUndefined()
    expect(parseMessage({ ...condition, watches: [{ target: 'mail', priority: '1', mode: 'regular' }] })).toBeUndefined()
    expect(parseMessage({ ...condition, load: { average: load, forecast: load, capacity: { ...capacity, cores: Infinity } } })).toBeUndefined()
  })

  it('never throws, whatever arrives', () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }), value => {
      expect(() => parseMessage(value)).not.toThrow()
    }), { numRuns: 1_000 })
  })
})

/** One field of a good message replaced by anything, or several. */
const hostile = fc.tuple(fc.constantFrom(...MESSAGES), fc.dictionary(fc.constantFrom('kind', 'function', 'target', 'epoch', 'request', 'giving', 'watches', 'load', 'stage', 'to', 'as', 'incident', 'generation', 'sequence'),
  fc.oneof(fc.anything(), fc.constantFrom('ftp', 'web1', 'nobody', '__proto__', -1, 1e300, 0.5))))
  .map(([message, changes]): unknown => ({ ...message, ...changes }))

describe('a core that hears hostile messages', () => {
  it('neither throws nor claims, serves, stops or reboots anything', () => {
    fc.assert(fc.property(fc.array(hostile, { maxLength: 20 }), messages => {
      const harness = Harness.settled('mail')
      for (const message of messages) harness.event({ event: 'message', from: 'web1', message })
      harness.run(200)
      const acts = harness.commands.filter(({ command }) => command === 'claim' || command === 'serve' || command === 'hand' || command === 'wake' || command === 'release')
      expect(acts).toEqual([])
    }), { numRuns: 60 })
  })

  it('drops strangers and what claims to come from itself, and says so', () => {
    const harness = Harness.settled('mail')
    for (const from of ['stranger', 'mail', '__proto__']) {
      harness.forget()
      harness.event({ event: 'message', from, message: { kind: 'yield', function: 'mail', epoch: 1 } })
      expect(harness.said('is_not_understood_and_dropped')).toBe(true)
      expect(harness.asked('stop')).toEqual([])
    }
  })

  it('keeps no older condition in place of a newer one', () => {
    const harness = Harness.settled('mail')
    const host = harness.host('web1')
    harness.message('web1', conditionOf({ ...host, giving: [native('web1'), virtual('ftp', 2)] }, 1_000))
    harness.message('web1', conditionOf({ ...host, giving: [] }, 999))
    expect(harness.state.hosts.get('web1')!.condition!.giving).toHaveLength(2)
  })
})
