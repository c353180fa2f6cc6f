/** Virtual time: a binary heap ordered by (time, order of insertion). */
/** A place in virtual time: of two at the same moment the one that was taken first comes first. */
export interface Turn {
  readonly at_ms: number
  readonly order: number
}

interface Entry extends Turn {
  readonly run: () => void
}

/** A schedule that has not ended after so many events hangs. */
const EVENTS_LIMIT = 5_000_000

export class EventQueue {
  now_ms = 0
  handled = 0
  private order = 0
  private readonly heap: Entry[] = []

  at(at_ms: number, run: () => void): void {
    this.add({ at_ms: Math.max(at_ms, this.now_ms), order: (this.order += 1), run })
  }

  /** Taken now, for `atTurn` any time before it comes. */
  takeTurn(at_ms: number): Turn {
    return { at_ms: Math.max(at_ms, this.now_ms), order: (this.order += 1) }
  }

  atTurn({ at_ms, order }: Turn, run: () => void): void {
    this.add({ at_ms, order, run })
  }

  private add(entry: Entry): void {
    this.heap.push(entry)
    let index = this.heap.length - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!earlier(entry, this.heap[parent]!)) break
      this.heap[index] = this.heap[parent]!
      index = parent
    }
    this.heap[index] = entry
  }

  after(delay_ms: number, run: () => void): void {
    this.at(this.now_ms + delay_ms, run)
  }

  /** Runs everything up to that time. */
  runUntil(end_ms: number): void {
    while (this.heap.length > 0 && this.heap[0]!.at_ms <= end_ms) {
      const entry = this.pop()
      this.now_ms = entry.at_ms
      if ((this.handled += 1) > EVENTS_LIMIT) throw new Error(`the schedule does not end: ${EVENTS_LIMIT} events handled at ${this.now_ms} ms`)
      entry.run()
    }
    this.now_ms = end_ms
  }

  private pop(): Entry {
    const first = this.heap[0]!
    const last = this.heap.pop()!
    if (this.heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.heap.length) break
      if (child + 1 < this.heap.length && earlier(this.heap[child + 1]!, this.heap[child]!)) child += 1
      if (!earlier(this.heap[child]!, last)) break
      this.heap[index] = this.heap[child]!
      index = child
    }
    this.heap[index] = last
    return first
  }
}

export const earlier = (a: Turn, b: Turn): boolean => a.at_ms < b.at_ms || (a.at_ms === b.at_ms && a.order < b.order)
