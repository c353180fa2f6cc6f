import { RingwardError } from '../../errors.ts'

/** One segment of a path in the shared area: no separator, no leading dot or dash (architecture, trust). */
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** Deeper than anything in the layout (`program/<version>/<folder>/<file>`), far below the system's limit. */
const DEPTH_LIMIT = 8
const EPOCH = /^[1-9][0-9]{0,14}$/

export function isName(name: string): boolean {
  return SEGMENT.test(name)
}

/** Refuses with SHARE_NAME a name that is not one plain path segment. */
export function checkName(name: string): string {
  if (!isName(name)) throw new RingwardError('SHARE_NAME', `"${name.slice(0, 80)}" is not allowed as a name in the shared area; use letters, digits, dot, dash and underline, starting with a letter or digit`)
  return name
}

/** Splits a relative path of the shared area into checked segments; rejects with SHARE_NAME. */
export function checkPath(path: string): string[] {
  const segments = path.split('/')
  if (segments.length > DEPTH_LIMIT) throw new RingwardError('SHARE_NAME', `"${path.slice(0, 80)}" is deeper than ${DEPTH_LIMIT} folders; the shared area has no such place`)
  return segments.map(checkName)
}

/** The epoch a claim or release file stands for, or undefined for a foreign file. */
export function epochOf(name: string): number | undefined {
  return EPOCH.test(name) ? Number(name) : undefined
}
