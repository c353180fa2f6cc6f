/** What is wrong with the simulated network: directions that are cut, and disturbances of all messages. */

/** Of every message while it lasts. */
export interface Disturbance {
  /** Share of packets lost, 0–1. */
  readonly loss?: number
  /** Share of messages that arrive a second time, later. */
  readonly duplication?: number
  /** Each message takes up to that much longer, so that later ones overtake it. */
  readonly delay_ms?: number
}

/** From one host to another; the other way is another direction. */
export type Direction = readonly [from: string, to: string]

export class NetworkFaults {
  readonly disturbances = new Set<Disturbance>()
  /** A direction may be cut by several faults at once. */
  private readonly cuts = new Map<string, number>()
  /** Streams that have died by their heartbeat limit. */
  private readonly closed = new Set<string>()

  cut([from, to]: Direction): void {
    const key = `${from} ${to}`
    this.cuts.set(key, (this.cuts.get(key) ?? 0) + 1)
  }

  heal([from, to]: Direction): void {
    const key = `${from} ${to}`
    const left = (this.cuts.get(key) ?? 0) - 1
    if (left > 0) this.cuts.set(key, left)
    else this.cuts.delete(key)
  }

  isCut(from: string, to: string): boolean {
    return this.cuts.size > 0 && this.cuts.has(`${from} ${to}`)
  }

  /** Whether any direction to or from the host is cut. */
  touches(name: string): boolean {
    return this.cuts.size > 0 && [...this.cuts.keys()].some(key => key.split(' ').includes(name))
  }

  close(one: string, other: string): void {
    this.closed.add(`${one} ${other}`).add(`${other} ${one}`)
  }

  open(one: string, other: string): void {
    this.closed.delete(`${one} ${other}`)
    this.closed.delete(`${other} ${one}`)
  }

  isClosed(from: string, to: string): boolean {
    return this.closed.size > 0 && this.closed.has(`${from} ${to}`)
  }

  get loss(): number {
    return this.most(({ loss }) => loss)
  }

  get duplication(): number {
    return this.most(({ duplication }) => duplication)
  }

  get delay_ms(): number {
    return this.most(({ delay_ms }) => delay_ms)
  }

  private most(of: (disturbance: Disturbance) => number | undefined): number {
    let most = 0
    for (const disturbance of this.disturbances) most = Math.max(most, of(disturbance) ?? 0)
    return most
  }
}

/** Every direction between hosts of different groups; who is in several groups, or in none, is cut off from nobody. */
export function between(groups: readonly (readonly string[])[]): Direction[] {
  const directions = groups.flatMap((group, index) => groups.flatMap((other, otherIndex) => index === otherIndex ? [] : group.flatMap(from => other.map((to): Direction => [from, to]))))
  return directions.filter(([from, to]) => from !== to && !groups.some(group => group.includes(from) && group.includes(to)))
}

/** *Majorities ring*: each host reaches its neighbours of the ring up to that distance only, so that each sees another majority. */
export function majoritiesRing(names: readonly string[]): Direction[] {
  const reach = Math.floor(names.length / 4) + 1
  const distance = (one: number, other: number): number => Math.min(Math.abs(one - other), names.length - Math.abs(one - other))
  return names.flatMap((from, one) => names.flatMap((to, other): Direction[] => from !== to && distance(one, other) > reach ? [[from, to]] : []))
}
