/** The part of a state that is no host's and not the share's, kept in one number: whose turn it was in this tick, and what is wrong. */

export interface TickState {
  /** A bit for each host that had its turn in this tick. */
  readonly had: number
  /** Faults that have begun. */
  readonly faults: number
  /** The share is dead for all. */
  readonly outage: boolean
  /** Of each host, by its place in `MODES`. */
  readonly modes: readonly number[]
}

/** Four hosts, fifteen faults, sixteen modes. */
const MODE_BITS = [9, 13, 17, 21]

export function tickState(number: number): TickState {
  return { had: number & 15, faults: number >> 4 & 15, outage: (number >> 8 & 1) === 1, modes: MODE_BITS.map(bit => number >> bit & 15) }
}

export function tickNumber({ had, faults, outage, modes }: TickState): number {
  return modes.reduce((number, mode, host) => number | mode << MODE_BITS[host]!, had | faults << 4 | (outage ? 1 << 8 : 0))
}
