/** Breadth first through everything that can happen: each state once, exactly, none by its hash alone. */
import type { Bounds } from './coarse-time.ts'
import type { Violation } from './invariants.ts'
import { KernelModel, type Listener } from './kernel-model.ts'
import { KernelRing } from './kernel-host.ts'

export interface SearchLimits {
  /** States kept. */
  readonly states: number
  /** Whether to go on; asked now and then. */
  readonly goOn: (progress: Progress) => boolean
}

export interface Progress {
  readonly states: number
  readonly followed: number
  readonly depth: number
}

export interface Found extends Violation {
  /** What happened, from the start on. */
  readonly steps: readonly string[]
}

export interface SearchResult extends Progress {
  /** Nothing is left within the bounds. */
  readonly complete: boolean
  /** Followed wholly: every state that can be reached in so many moves. */
  readonly whole_depth: number
  /** Moves that were not followed because they lead beyond the bounds. */
  readonly beyond: number
  readonly hosts: number
  readonly areas: number
  /** How often what the rules are about was met: a search that never comes to it proves nothing. */
  readonly sights: ReadonlyMap<string, number>
  readonly found: Found | undefined
}

const ASKED_EVERY = 4_096

/** Rows of numbers in one growing array, found by their content. */
class Rows {
  readonly width: number
  count = 0
  private rows: Int32Array
  private places: Int32Array

  constructor(width: number) {
    this.width = width
    this.rows = new Int32Array(width << 16)
    this.places = new Int32Array(1 << 18).fill(-1)
  }

  row(index: number): Int32Array {
    return this.rows.subarray(index * this.width, (index + 1) * this.width)
  }

  /** True when it is new. */
  add(row: readonly number[]): boolean {
    const place = this.placeOf(row, 0)
    if (this.places[place] !== -1) return false
    if ((this.count + 1) * this.width > this.rows.length) this.rows = grown(this.rows)
    this.rows.set(row, this.count * this.width)
    this.places[place] = this.count
    this.count += 1
    if (this.count * 2 > this.places.length) this.spread()
    return true
  }

  private placeOf(row: readonly number[] | Int32Array, from: number): number {
    const { width, rows, places } = this
    const mask = places.length - 1
    let hash = 0
    for (let column = 0; column < width; column += 1) hash = Math.imul((hash ^ row[from + column]!) + 0x9e3779b9 | 0, 0x85ebca6b) ^ (hash >>> 15)
    for (let place = (hash ^ (hash >>> 13)) & mask; ; place = (place + 1) & mask) {
      const index = places[place]!
      if (index === -1) return place
      let column = 0
      while (column < width && rows[index * width + column] === row[from + column]) column += 1
      if (column === width) return place
    }
  }

  private spread(): void {
    this.places = new Int32Array(this.places.length * 2).fill(-1)
    for (let index = 0; index < this.count; index += 1) this.places[this.placeOf(this.rows, index * this.width)] = index
  }
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

export function searchWithin(bounds: Bounds, limits: SearchLimits): SearchResult {
  const ring = new KernelRing(bounds)
  const model = new KernelModel(ring)
  const rows = new Rows(ring.names.length + 2)
  let parents: Int32Array = new Int32Array(1 << 16)
  let [followed, depth, level_end, beyond] = [0, 0, 1, 0]
  let broken: { readonly violation: Violation; readonly story: readonly string[] } | undefined
  rows.add(model.start())
  const listener: Listener = {
    onNext(next) {
      if (!rows.add(next)) return
      if (rows.count > parents.length) parents = grown(parents)
      parents[rows.count - 1] = followed
    },
    onViolation(violation, story) {
      broken ??= { violation, story: [...story] }
    },
    onBound() {
      beyond += 1
    },
  }
  while (followed < rows.count && !broken && rows.count < limits.states) {
    if (followed === level_end) {
      depth += 1
      level_end = rows.count
    }
    if (followed % ASKED_EVERY === 0 && !limits.goOn({ states: rows.count, followed, depth })) break
    model.follow(rows.row(followed), listener)
    followed += 1
  }
  const complete = followed === rows.count && !broken
  const found = broken && { ...broken.violation, steps: [...stepsTo(model, rows, parents, followed - 1), ...broken.story] }
  return { complete, states: rows.count, followed, depth, whole_depth: complete ? depth : Math.max(0, followed === level_end ? depth : depth - 1), beyond, ...model.sizes, sights: model.sights, found }
}

/** What leads from the start to a state, found again by following its forebears. */
function stepsTo(model: KernelModel, rows: Rows, parents: Int32Array, index: number): string[] {
  const stories: (readonly string[])[] = []
  for (let child = index; child > 0; child = parents[child]!) {
    const goal = rows.row(child)
    let told: readonly string[] | undefined
    model.follow(rows.row(parents[child]!), {
      onNext(next, story) {
        if (told === undefined && goal.every((number, column) => next[column] === number)) told = [...story]
      },
      onViolation: () => undefined, onBound: () => undefined,
    })
    stories.push(told ?? [])
  }
  return stories.reverse().flat()
}
