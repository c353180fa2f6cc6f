import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { StallMeter } from '../../../src/edges/stall-meter.ts'

let now_ms = 0
let stalls: StallMeter
const pass = (ms: number): void => { now_ms += ms; vi.advanceTimersByTime(ms) }

beforeEach(() => {
  vi.useFakeTimers()
  now_ms = 0
  stalls = new StallMeter({ boot_ms: () => now_ms })
})
afterEach(() => {
  stalls.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

it('sees nothing while timers come in time', () => {
  for (let tick = 0; tick < 20; tick += 1) pass(25)
  expect(stalls.take()).toBe(0)
})

it('sees the longest hold-up once, also one that began right after the last look', () => {
  stalls.take()
  now_ms += 425
  expect(stalls.take()).toBe(400)
  expect(stalls.take()).toBe(0)
  now_ms += 300
  pass(25)
  pass(25)
  expect(stalls.take()).toBe(300)
})
