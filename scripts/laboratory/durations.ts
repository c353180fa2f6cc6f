import { LabError } from './lab.ts'

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `100ms`, `2s`, `1.5m`; a bare number is seconds. Throws a usage error. */
export function durationMs(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  if (!found) throw new LabError(`"${text}" is not a duration; write for example 100ms, 2s or 1m`, 2)
  return Number(found[1]) * (UNITS_MS[found[2] ?? 's'] as number)
}
