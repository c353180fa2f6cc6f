import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GuardVoice } from '../../../agent/guard-voice.ts'
import type { Event } from '../../../src/core/event.ts'
import type { GuardOrder } from '../../../src/guard/guard-client.ts'

const RIDE = { verb: 'ride', until_ms: 1, promised: [] } as const

describe('the voice of the guard', () => {
  /** `mute`: no answer in time; `broken`: the connection ends at once. */
  let guard: 'answers' | 'refuses' | 'mute' | 'broken'
  let asked: string[]
  let events: Event[]
  let problems: string[]
  let voice: GuardVoice

  const request = (order: GuardOrder, limit_ms: number): Promise<{ reply: number; ok: boolean; reason?: string }> => {
    asked.push(order.verb)
    if (guard === 'answers') return Promise.resolve({ reply: 1, ok: true })
    if (guard === 'refuses') return Promise.resolve({ reply: 1, ok: false, reason: 'not now' })
    if (guard === 'broken') return Promise.reject(new Error('the guard ended'))
    return new Promise((_, reject) => { setTimeout(() => reject(new Error('no answer')), limit_ms) })
  }

  beforeEach(() => {
    vi.useFakeTimers()
    guard = 'answers'
    asked = []
    events = []
    problems = []
    voice = new GuardVoice({ guard: { request }, clock: { boot_ms: () => performance.now() }, post: event => events.push(event), problem: text => problems.push(text) })
  })
  afterEach(() => {
    voice.stop()
    vi.useRealTimers()
  })

  it('is told of when an order is not answered in time, once, and when it is back', async () => {
    guard = 'mute'
    voice.tell(RIDE)
    await vi.advanceTimersByTimeAsync(400)
    voice.tell(RIDE)
    expect(events).toEqual([])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(events).toEqual([{ event: 'guard', answers: false }])
    guard = 'answers'
    await vi.advanceTimersByTimeAsync(1_000)
    expect(events).toEqual([{ event: 'guard', answers: false }, { event: 'guard', answers: true }])
    expect(problems).toEqual([])
  })

  it('is not missed when the guard is started anew', async () => {
    guard = 'broken'
    voice.tell(RIDE)
    guard = 'answers'
    await vi.advanceTimersByTimeAsync(1_000)
    expect(asked).toEqual(['ride', 'status'])
    expect(events).toEqual([])
    expect(problems).toEqual(['ride did not reach the guard: the guard ended'])
  })

  it('a refusal is an answer, and a problem', async () => {
    guard = 'refuses'
    voice.tell(RIDE)
    await vi.advanceTimersByTimeAsync(10)
    expect([events, problems]).toEqual([[], ['the guard refused to ride: not now']])
  })

  it('asks nothing more after its end', async () => {
    guard = 'mute'
    voice.tell(RIDE)
    await vi.advanceTimersByTimeAsync(600)
    voice.stop()
    await vi.advanceTimersByTimeAsync(2_000)
    const all = asked.length
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked).toHaveLength(all)
  })
})
