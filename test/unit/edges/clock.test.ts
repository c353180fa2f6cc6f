import { describe, expect, it } from 'vitest'
import { SystemClock } from '../../../src/edges/clock.ts'

/** Two clocks of one host: both go on while a process is stopped, only the coarse one while the host is suspended. */
function host() {
  const world = { coarse_ms: 500_000, fine_ms: 500_000, between: () => undefined as void }
  const passes = (ms: number): void => { world.coarse_ms += ms; world.fine_ms += ms }
  // Whatever happens at a reading happens before and after it: neither order may matter.
  const clock = new SystemClock(() => {
    const read = Math.floor(world.coarse_ms / 10) * 10
    world.between()
    return read
  }, () => {
    const read = world.fine_ms
    world.between()
    return read
  })
  return { world, passes, clock }
}

describe('the boot clock', () => {
  it('counts a suspend', () => {
    const { world, passes, clock } = host()
    const before = clock.boot_ms()
    world.coarse_ms += 3_600_000
    passes(5)
    expect(clock.boot_ms() - before).toBeCloseTo(3_600_005, -2)
    const after = clock.boot_ms()
    passes(100)
    expect(clock.boot_ms() - after).toBe(100)
  })

  it('does not run ahead when the process is stopped between its readings', () => {
    const { world, passes, clock } = host()
    clock.boot_ms()
    world.between = () => { passes(12_000) }
    clock.boot_ms()
    world.between = () => undefined
    expect(clock.boot_ms()).toBe(world.fine_ms)
  })

  it('finds a suspend between its readings at the next one', () => {
    const { world, clock } = host()
    world.between = () => { world.coarse_ms += 60_000 }
    clock.boot_ms()
    world.between = () => undefined
    expect(Math.abs(clock.boot_ms() - world.coarse_ms)).toBeLessThan(20)
  })
})
