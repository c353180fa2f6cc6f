import { UNITS_MS } from '../../src/configuration/values.ts'
import { LabError } from './lab.ts'

/** `100ms`, `2s`, `1.5m`; a bare number is seconds. Throws a usage error. */
export function durationMs(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  if (!found) throw new LabError(`"${text}" is not a duration; write for example 100ms, 2s or 1m`, 2)
  return Number(found[1]) * (UNITS_MS[found[2] ?? 's'] as number)
}
