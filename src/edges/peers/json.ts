/** JSON as bytes, for frames and gossip alike. */
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Throws when the value is not JSON (a cycle, a bigint, undefined): an error of the caller, not of a peer. */
export function toJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError('the value has no JSON form')
  return encoder.encode(text)
}

/** Bytes of a peer: never throws. */
export function fromJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(decoder.decode(bytes)) as unknown }
  } catch {
    return undefined
  }
}
