/**
 * Remote hands (architecture, trust): an SSH key bound to one forced command with this short list of verbs.
 * Arguments index the published configuration of the target; nothing reaches a shell.
 */
export type HandVerb =
  /** Answers with the host's name, boot id and uptime. */
  | 'ping'
  /** Restarts daemon number N of the target's record. */
  | 'restart-daemon'
  /** Removes the VIP and bars the given epoch and older ones on the target; resolves when that is confirmed. */
  | 'release'
  | 'reboot'
  /** Creates or removes the flag file. */
  | 'flag-on'
  | 'flag-off'

export interface HandResult {
  readonly ok: boolean
  /** One line for the log: what the target said, or why it could not be asked. */
  readonly detail: string
}

export interface HandTarget {
  readonly name: string
  readonly address: string
  /** `ssh-ed25519 AAAA…`; any other key is refused. */
  readonly ssh_host_key: string
}

export interface RemoteHand {
  /** Never rejects for a target that fails or is away; it says so in the result. Bounded by `limit_ms`. */
  run(target: HandTarget, verb: HandVerb, args: readonly string[], limit_ms: number, signal: AbortSignal): Promise<HandResult>
  close(): Promise<void>
}
