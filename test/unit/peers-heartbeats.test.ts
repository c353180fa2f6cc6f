import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Heartbeats, type Watched } from '../../src/edges/peers/heartbeats.ts'

class Neighbour implements Watched {
  beats = 0
  accused: string[] = []
  last_ms: number | undefined = 0
  beat(): void { this.beats++ }
  heard_ms(): number | undefined { return this.last_ms }
  excuse(now_ms: number): void { if (this.last_ms !== undefined) this.last_ms = now_ms }
  accuse(why: string): void { this.accused.push(why) }
}

describe('heartbeats', () => {
  let now_ms = 0
  let neighbour: Neighbour
  let heartbeats: Heartbeats

  beforeEach(() => {
    vi.useFakeTimers()
    now_ms = 0
    neighbour = new Neighbour()
    heartbeats = new Heartbeats({ clock: { boot_ms: () => now_ms, wall: () => new Date(0) }, heartbeat_ms: 250, limit_ms: 1_000, watched: () => [neighbour] })
    heartbeats.start()
  })

  afterEach(() => {
    heartbeats.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  /** Lets the immediates of a tick run, as the real loop does after its poll phase (the fake one puts each 1 ms later). */
  const poll = (): void => { vi.advanceTimersByTime(2) }

  const pass = (duration_ms: number): void => {
    for (let passed_ms = 0; passed_ms < duration_ms; passed_ms += 250) {
      now_ms += 250
      vi.advanceTimersByTime(250)
      poll()
    }
  }

  test('a neighbour that is heard is beaten and not accused', () => {
    for (let round = 0; round < 20; round++) {
      neighbour.last_ms = now_ms
      pass(250)
    }
    expect(neighbour.beats).toBe(20)
    expect(neighbour.accused).toEqual([])
  })

  test('a silent neighbour is accused after the limit', () => {
    pass(1_000)
    expect(neighbour.accused).toEqual([])
    pass(250)
    expect(neighbour.accused).toEqual(['no heartbeat for 1250 ms (limit 1000 ms)'])
  })

  test('what arrives in the poll phase after the late tick counts', () => {
    pass(1_000)
    now_ms += 250
    setImmediate(() => { neighbour.last_ms = now_ms })
    vi.advanceTimersByTime(250)
    poll()
    expect(neighbour.accused).toEqual([])
  })

  test('a starved loop accuses nobody and begins the wait again', () => {
    now_ms += 5_000
    vi.advanceTimersByTime(250)
    pass(1_000)
    expect(neighbour.accused).toEqual([])
    pass(500)
    expect(neighbour.accused).not.toEqual([])
  })

  test('without an open stream there is nobody to accuse', () => {
    neighbour.last_ms = undefined
    pass(5_000)
    expect(neighbour.accused).toEqual([])
  })
})
