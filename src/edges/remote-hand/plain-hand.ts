import type { HandResult, HandTarget } from './remote-hand.ts'

/**
 * The remote hand for targets on which nothing of ringward runs (thesis chapter 2): plain SSH, with commands fitted to the system that
 * is found there. Orders for one target are carried out one after the other.
 */
export type PlainOrder =
  /** Where is the VIP? */
  | { readonly verb: 'look' }
  /** Puts the VIP beside the target's own address and announces it, unless that epoch is barred. */
  | { readonly verb: 'give'; readonly epoch: number }
  /** Bars that epoch and older ones, takes the VIP off every device and looks again. */
  | { readonly verb: 'release'; readonly epoch: number }
  | { readonly verb: 'restart-daemon'; readonly daemon: string }
  | { readonly verb: 'reboot' }

export interface PlainTarget extends HandTarget {
  readonly user: string
  readonly port: number
  readonly vip: string
  readonly vip_prefix: number
}

export interface PlainResult extends HandResult {
  /** Where the VIP was seen last in this order; absent when nothing was seen. `release` is ok only with `off`, `give` only with `on`. */
  readonly vip?: 'on' | 'off'
  /** The epoch to be given was taken off this target before. */
  readonly barred?: true
}

export interface PlainHand {
  /** Never rejects for a target that fails or is away; it says so in the result. Bounded by `limit_ms` from when its turn comes. */
  run(target: PlainTarget, order: PlainOrder, limit_ms: number, signal: AbortSignal): Promise<PlainResult>
  close(): Promise<void>
}
