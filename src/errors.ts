/**
 * The error catalogue: stable codes; a message names the thing, the reason and the next step.
 * Grow it, never change a code's meaning.
 */
export const ERROR_CODES = {
  SHARE_TIMEOUT: 'the shared area did not answer in time',
  SHARE_ERROR: 'the shared area answered with an error',
  SHARE_NAME: 'a name or path for the shared area is not allowed',
  COMMAND_FAILED: 'a command failed',
  COMMAND_TIMEOUT: 'a command did not end in time',
  COMMAND_MISSING: 'a program is not installed',
  CONFIGURATION_INVALID: 'the configuration is not valid',
  MANIFEST_INVALID: 'the published program or data do not match the manifest',
  HYPERVISOR_UNREACHABLE: 'the hypervisor cannot be reached',
  HYPERVISOR_FAILED: 'the hypervisor refused or failed',
  GUEST_FAILED: 'the virtual server did not do what was asked inside it',
  GUARD_REFUSED: 'the guard refused',
  GUARD_UNREACHABLE: 'the guard cannot be reached',
  CONTROL_UNREACHABLE: 'the agent of this host cannot be reached',
  CONTROL_REFUSED: 'the agent refused',
  CONTROL_TIMEOUT: 'the agent did not answer in time',
  PERMISSION: 'the user may not do this',
  NOT_FOUND: 'what was asked for does not exist',
  INTERNAL: 'an error inside ringward',
  NOT_RUNNING: 'ringward is not running on this host',
  USAGE: 'the command line is not valid',
  PEERS_UNAVAILABLE: 'the connections between the hosts cannot be opened',
  KEY_UNREADABLE: 'a key file cannot be used',
  NOT_A_MEMBER: 'this host is not in the published ring',
  IDENTITY_TAKEN: 'another identity is already announced for this host',
  // Lost protection: alerts.
  TOO_FEW_WATCHERS: 'fewer hosts watch a server than should',
  LEASE_LATE: 'the lease of a host is renewed late',
  SHARE_UNREACHABLE: 'the shared area does not answer a host',
  SHARE_SLOW: 'the shared area is slower than the profile allows',
  SHARE_FULL: 'the shared area has hardly any room left',
  NO_ROOM: 'no host has room for the largest virtual server',
  STANDBY_MISSING: 'the image of a virtual server is missing',
  STANDBY_STALE: 'the saved state of a virtual server does not fit any more',
  VERSION_SKEW: 'hosts run different publications',
  CLOCK_OFF: 'the clock of a host is wrong',
  FLAPPING: 'a server comes home and fails again and again',
  HOST_SLOW: 'a host is too slow to judge others',
  LOG_UNWRITTEN: 'the disk of a host does not take its log',
  ABORTED: 'the work was called off',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export class RingwardError extends Error {
  override readonly name = 'RingwardError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The message of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Handler of a rejection: the value for a file or folder that does not exist; every other failure is the caller's. */
export function whenAbsent<T>(value: T): (error: unknown) => T {
  return error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value
    throw error
  }
}
