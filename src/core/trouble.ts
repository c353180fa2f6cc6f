/** What may happen to a target (thesis 5.4), and how it may end. `host`: its lease ran out though it answers; `leave`: it announced that it goes. */
export type Trouble = 'St1' | 'St2' | 'Nt1' | 'Nt2' | 'host' | 'leave'

/**
 * `resumed`: a false alarm; `repaired`: healed in place; `returned`: the target gives its function again; `down`: it did not come back;
 * `forgotten`: the target was taken out of the ring for good.
 */
export type Outcome = 'resumed' | 'repaired' | 'returned' | 'down' | 'forgotten'

export interface Candidate {
  readonly host: string
  /** Non-select value; null when the host is out of the question for `reason`. */
  readonly value: number | null
  readonly reason: string
}
