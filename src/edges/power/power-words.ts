import { RingwardError } from '../../errors.ts'
import type { PowerState } from './power-switch.ts'

/** `ipmitool … chassis power status` says one line; more than a page is something else. */
const WORDS_LIMIT_CHARACTERS = 4_096
const STATE_LINE = /^\s*(?:chassis power is\s+)?(on|off)\s*$/i
const SHOWN_LIMIT_CHARACTERS = 120

/** The state in a controller's words: a line "Chassis Power is on" (or off), or just "on" or "off". COMMAND_FAILED for anything else, and for two answers. */
export function powerState(words: string, who: string): PowerState {
  const states = new Set(words.length > WORDS_LIMIT_CHARACTERS ? [] : words.split('\n').flatMap(line => STATE_LINE.exec(line)?.[1]?.toLowerCase() ?? []))
  if (states.size === 1) return states.has('off') ? 'off' : 'on'
  const said = JSON.stringify(words.trim().slice(0, SHOWN_LIMIT_CHARACTERS))
  throw new RingwardError('COMMAND_FAILED', `${who} says ${said}, which tells neither on nor off; it must print "Chassis Power is on" or "off"`)
}
