import { InvalidArgumentError, Option } from 'commander'
import { UNITS_MS } from '../configuration/values.ts'

const SECOND_MS = 1_000
/** A repaint below a fifth of a second is a busy loop, above an hour is a cron job. */
const WATCH_MIN_SECONDS = 0.2
const HOUR_SECONDS = 3_600

const WATCH_DEFAULT_SECONDS = '2'
/** Joining and leaving take some seconds; a host that boots takes longer. */
const WAIT_DEFAULT_SECONDS = '30'
/** Time for an answer of this host's agent, or of another's through it. */
export const ANSWER_LIMIT_MS = 5_000

export function jsonOption(what = 'print the JSON document'): Option {
  return new Option('--json', what)
}

export function watchOption(): Option {
  return new Option('--watch [seconds]', 'repeat until Ctrl-C').preset(WATCH_DEFAULT_SECONDS).argParser(secondsBetween(WATCH_MIN_SECONDS, HOUR_SECONDS))
}

export function hostOption(): Option {
  return new Option('--host <host>', 'ask the agent of another host, through this one')
}

export function dryRunOption(): Option {
  return new Option('--dry-run', 'say what would be done, and do nothing')
}

export function waitOption(what: string): Option {
  return new Option('--wait [seconds]', what).preset(WAIT_DEFAULT_SECONDS).argParser(secondsBetween(0, HOUR_SECONDS))
}

/** Reads a time like 30m, 1h or 2d, gives milliseconds. */
export function durationValue(value: string): number {
  const found = /^(\d{1,6}(?:\.\d+)?) ?(s|m|h|d)$/.exec(value)
  const duration_ms = found ? Math.round(Number(found[1]) * (UNITS_MS[found[2] ?? ''] ?? 0)) : 0
  if (duration_ms < SECOND_MS || duration_ms > 365 * (UNITS_MS['d'] ?? 0)) throw new InvalidArgumentError('Write a time from 1s to 365d, for example 30m, 1h or 2d.')
  return duration_ms
}

/** Reads seconds, gives milliseconds. */
function secondsBetween(min: number, max: number): (value: string) => number {
  return value => {
    const seconds = Number(value)
    if (value.trim() === '' || !(seconds >= min && seconds <= max)) throw new InvalidArgumentError(`Write seconds from ${min} to ${max}.`)
    return seconds * SECOND_MS
  }
}
