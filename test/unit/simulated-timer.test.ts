import { describe, expect, it } from 'vitest'
import { EventQueue } from '../../src/simulator/event-queue.ts'
import { RandomStream } from '../../src/simulator/prng.ts'
import { SimulatedTimer } from '../../src/simulator/simulated-timer.ts'

/** What the queue would do if each setting were an entry of its own, and all but the last were void. */
class PlainTimer {
  private readonly queue: EventQueue
  private readonly run: () => void
  private settings = 0

  constructor(queue: EventQueue, run: () => void) {
    this.queue = queue
    this.run = run
  }

  set(at_ms: number): void {
    const setting = (this.settings += 1)
    this.queue.at(at_ms, () => setting === this.settings && this.run())
  }
}

/** Few different times, so that many things happen in the same millisecond and their order tells. */
function play(Timer: typeof PlainTimer | typeof SimulatedTimer, seed: number): { readonly story: string[]; readonly handled: number } {
  const queue = new EventQueue()
  const random = new RandomStream(seed, 'timer')
  const story: string[] = []
  const timers = ['a', 'b'].map(name => {
    const timer = new Timer(queue, () => {
      story.push(`${queue.now_ms} ${name}`)
      if (random.next() < 0.5) timer.set(queue.now_ms + Math.floor(random.between(0, 8)))
    })
    return timer
  })
  for (let event = 0; event < 200; event += 1) {
    queue.at(Math.floor(random.between(0, 100)), () => {
      story.push(`${queue.now_ms} event ${event}`)
      random.pick(timers).set(queue.now_ms + Math.floor(random.between(0, 8)))
    })
  }
  queue.runUntil(200)
  return { story, handled: queue.handled }
}

describe('a simulated timer', () => {
  it('comes when and in the order in which it would with an entry for each setting, with fewer of them', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const [plain, timer] = [play(PlainTimer, seed), play(SimulatedTimer, seed)]
      expect(timer.story).toEqual(plain.story)
      expect(timer.handled).toBeLessThan(plain.handled)
    }
  })
})
