import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HealthMeter } from '../../../agent/health-meter.ts'
import type { Event } from '../../../src/core/event.ts'

describe('the health meter', () => {
  let events: Event[]
  let stalled_ms: number
  let miss: () => void
  let meter: HealthMeter
  let ended: boolean
  let unwritten: number

  beforeEach(() => {
    vi.useFakeTimers()
    events = []
    stalled_ms = 3
    ended = false
    unwritten = 0
    meter = new HealthMeter({
      stalls: { take: () => stalled_ms, stop: () => undefined }, address: '192.0.2.11', ping_interval_ms: 500, wall_offset_ms: () => 5, unwritten: () => unwritten, post: event => events.push(event),
      prober: { watch: (address, interval_ms, listener) => {
        expect([address, interval_ms]).toEqual(['192.0.2.11', 500])
        miss = () => listener.onMiss()
        return { last_answer_ms: undefined, stop: () => { ended = true; return Promise.resolve() } }
      } },
    })
  })
  afterEach(() => { vi.useRealTimers() })

  it('tells once a second that all is well', () => {
    vi.advanceTimersByTime(2_000)
    expect(events).toEqual([{ event: 'health', stalled_ms: 3, own_probes_missed: 0, wall_offset_ms: 5 }, { event: 'health', stalled_ms: 3, own_probes_missed: 0, wall_offset_ms: 5 }])
  })

  it('tells a hold-up at the next look', () => {
    stalled_ms = 400
    vi.advanceTimersByTime(250)
    expect(events).toEqual([{ event: 'health', stalled_ms: 400, own_probes_missed: 0, wall_offset_ms: 5 }])
  })

  it('tells a lost ping to the own address, once', () => {
    miss()
    vi.advanceTimersByTime(1_250)
    expect(events).toEqual([{ event: 'health', stalled_ms: 3, own_probes_missed: 1, wall_offset_ms: 5 }, { event: 'health', stalled_ms: 3, own_probes_missed: 0, wall_offset_ms: 5 }])
  })

  it('tells how many lines of the log wait for the disk', () => {
    unwritten = 7
    vi.advanceTimersByTime(1_000)
    expect(events).toEqual([{ event: 'health', stalled_ms: 3, own_probes_missed: 0, wall_offset_ms: 5, unwritten: 7 }])
  })

  it('ends with its ping', async () => {
    await meter.stop()
    vi.advanceTimersByTime(5_000)
    expect(events).toEqual([])
    expect(ended).toBe(true)
  })
})
