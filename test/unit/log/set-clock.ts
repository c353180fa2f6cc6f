import type { Clock } from '../../../src/edges/clock.ts'

/** A clock that moves when told. */
export class SetClock implements Clock {
  private wall_ms: number
  private boot = 0

  constructor(stamp: string) {
    this.wall_ms = Date.parse(stamp)
  }

  set(stamp: string): void {
    this.wall_ms = Date.parse(stamp)
  }

  advance(duration_ms: number): void {
    this.wall_ms += duration_ms
    this.boot += duration_ms
  }

  boot_ms(): number {
    return this.boot
  }

  wall(): Date {
    return new Date(this.wall_ms)
  }
}
