/** As `structuredClone` copies plain data, in a fraction of its time: a schedule sends ten thousand messages. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf) as T
  const copy: Record<string, unknown> = {}
  for (const field in value) copy[field] = copyOf(value[field])
  return copy as T
}
