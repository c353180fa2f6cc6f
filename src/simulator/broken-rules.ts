/**
 * Rules of the simulated parts that can be broken on purpose. Only the tests of the checker set them: a checker that would not
 * see a broken rule proves nothing by its silence. The core itself is never changed.
 */
export interface BrokenRules {
  /** The share lets a claim replace the one that stands: `rename` where the protocol needs `link` (R5). */
  readonly claims_overwrite?: boolean
  /** The guard lets its charges run on when the lease has run out (R2); the kernel still ends addresses. */
  readonly guard_never_stops?: boolean
  /** Addresses are added without a lifetime: nothing but the guard ends them (R2). */
  readonly addresses_never_expire?: boolean
  /** Reads of the share come from a cache of this age, as without `noac,lookupcache=none` (README, mount options). */
  readonly reads_cached_ms?: number
  /** The host puts its VIP on as soon as it has booted (R10). */
  readonly address_at_boot?: boolean
  /** The remote hand says "released" and leaves the VIP where it is (R4). */
  readonly hand_lies?: boolean
  /** Every power controller says "off", also of a host that runs (R4). */
  readonly power_lies?: boolean
  /** Leases do not say whom their hosts ask for promises: who joins or is taken out claims by silence all the same (R9). */
  readonly electorate_hidden?: boolean
  /** A stop is confirmed although the function goes on (protocol 6: the holder stops first). */
  readonly stop_lies?: boolean
  /** The guard says that it has barred an epoch, and what runs under it goes on (R5, R6). */
  readonly bar_lies?: boolean
  /** The share goes on showing renewals of a lost host for so long (L2: its targets are missed late). */
  readonly leases_linger_ms?: number
  /** No nomination arrives (L1). */
  readonly nominations_lost?: boolean
  /** Nobody says that there is no host for a function (L1: never forgotten), or that a host is down for good (L3). */
  readonly reports_lost?: boolean
  /** A virtual server takes no memory that its host could see (S4). */
  readonly memory_unseen?: boolean
}
