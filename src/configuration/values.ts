/**
 * The values of the configuration as people write them. Each reader takes the text and answers with the value,
 * or with what is wrong with it; the schema adds what to write instead.
 */
export type Reading<T> = { readonly value: T } | { readonly wrong: string }

/** Names of servers, probes, images: also file names in the shared area, so no separators and no leading dash (architecture, trust). */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,62}$/

/** The units of time as people write them; each reader says which of them it takes. */
export const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function readName(text: string): Reading<string> {
  return NAME_PATTERN.test(text) ? { value: text } : { wrong: 'is not a name: only a-z, 0-9 and "-", at most 63, the first not "-"' }
}

/** A duration with its unit, in milliseconds. */
export function readDuration(text: string, least_ms: number, most_ms: number): Reading<number> {
  const found = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h)$/.exec(text)
  if (!found) return { wrong: 'is not a duration: a number and its unit ms, s, m or h' }
  const value = Math.round(Number(found[1]) * (UNITS_MS[found[2] ?? ''] ?? 0))
  if (value < least_ms || value > most_ms) return { wrong: `is out of range: from ${durationText(least_ms)} to ${durationText(most_ms)}` }
  return { value }
}

/** Milliseconds in the largest unit that keeps them whole, e.g. `88s`. */
export function durationText(duration_ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const size_ms = UNITS_MS[unit] ?? 1
    if (duration_ms > 0 && duration_ms % size_ms === 0) return `${duration_ms / size_ms}${unit}`
  }
  return `${duration_ms}ms`
}

/** An IPv4 address a host can have. */
export function readAddress(text: string): Reading<string> {
  const bits = addressBits(text)
  if (bits === undefined) {
    return { wrong: text.includes('/') ? 'has a prefix length, which does not belong here' : 'is not an IPv4 address: four numbers from 0 to 255 with dots' }
  }
  const first = bits >>> 24
  // 0/8 means "this network", 224/4 is multicast, 240/4 reserved (RFC 6890).
  if (first === 0 || first >= 224) return { wrong: 'is not an address a host can have' }
  return { value: text }
}

export interface AddressWithPrefix {
  readonly address: string
  readonly prefix: number
}

/** An IPv4 address with prefix length, e.g. `192.0.2.21/24`. */
export function readAddressWithPrefix(text: string): Reading<AddressWithPrefix> {
  const [address = '', length, ...rest] = text.split('/')
  const reading = readAddress(address)
  if ('wrong' in reading) return reading
  if (length === undefined) return { wrong: 'has no prefix length' }
  if (!/^\d{1,2}$/.test(length) || Number(length) < 1 || Number(length) > 32 || rest.length > 0) return { wrong: 'has a bad prefix length: a number from 1 to 32 belongs after the "/"' }
  const prefix = Number(length)
  const host_bits = (addressBits(address) ?? 0) & (prefix === 32 ? 0 : 0xffffffff >>> prefix)
  // Up to /30 the first and the last address of a network are its own and its broadcast address.
  if (prefix < 31 && (host_bits === 0 || host_bits >>> 0 === 0xffffffff >>> prefix)) return { wrong: 'is the network or broadcast address of its own network' }
  return { value: { address, prefix } }
}

function addressBits(text: string): number | undefined {
  const found = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text)
  const parts = found?.slice(1).map(Number)
  if (!parts || parts.some(part => part > 255)) return undefined
  return parts.reduce((bits, part) => ((bits << 8) | part) >>> 0, 0)
}

/** A MAC address of one network card, in lower case. */
export function readMac(text: string): Reading<string> {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return { wrong: 'is not a MAC address: six pairs of hexadecimal digits with colons' }
  const value = text.toLowerCase()
  // The lowest bit of the first octet marks a group address (IEEE 802).
  if (value === '00:00:00:00:00:00' || Number.parseInt(value.slice(0, 2), 16) & 1) return { wrong: 'is not the address of a network card' }
  return { value }
}

/** A systemd service by name, with or without `.service`. */
export function readUnit(text: string): Reading<string> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,199}$/.test(text)) return { wrong: 'is not the name of a systemd unit: letters, digits and : _ . @ -, the first a letter, digit or _' }
  if (/\.(socket|target|timer|mount|automount|path|slice|scope|swap|device)$/.test(text)) return { wrong: 'is not a service: ringward restarts services only' }
  return { value: text }
}

/** A host name as `hostname` prints it. */
export function readHostName(text: string): Reading<string> {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.test(text) ? { value: text } : { wrong: 'is not a host name: letters, digits, "." and "-", at most 64' }
}

/** The libp2p identity of an ed25519 key: base58 of a 38-byte multihash, always 52 letters. */
export function readPeerId(text: string): Reading<string> {
  return /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/.test(text) ? { value: text } : { wrong: 'is not a peer identity: 12D3KooW and 44 more letters' }
}

/** An OpenSSH ed25519 public key; the comment is dropped. */
export function readSshKey(text: string): Reading<string> {
  const found = /^(ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43})(?:\s+\S.*)?$/.exec(text.trim())
  return found?.[1] === undefined ? { wrong: 'is not an ed25519 public key of OpenSSH' } : { value: found[1] }
}

export function readAbsolutePath(text: string): Reading<string> {
  // Control characters have no place in a path that is shown to people.
  if (!/^\/[^\u0000-\u001f]{0,1000}$/.test(text) || text.split('/').includes('..')) return { wrong: 'is not an absolute path without ".."' }
  return { value: text }
}

/** A network device by the kernel's rule: at most 15 letters (IFNAMSIZ), none of them a separator. */
export function readDevice(text: string): Reading<string> {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text) ? { value: text } : { wrong: 'is not a network device: at most 15 letters, digits and _ . -' }
}

/** One argument of a program; no shell ever sees it, and it is shown in logs. */
export function readArgument(text: string): Reading<string> {
  if (text === '') return { wrong: 'is empty' }
  return /^[^\u0000-\u001f\u007f]{1,1000}$/.test(text) ? { value: text } : { wrong: 'is no argument: at most 1000 characters, and no control characters' }
}

/** A user of a power controller: IPMI allows 16 letters, and a leading dash would be an option. */
export function readPowerUser(text: string): Reading<string> {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,15}$/.test(text) ? { value: text } : { wrong: 'is not a user name: at most 16 letters, digits and _ . @ -, the first a letter, digit or _' }
}

/** The name of an account, as every system ringward's hands reach allows it. */
export function readUserName(text: string): Reading<string> {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(text) ? { value: text } : { wrong: 'is not the name of an account: a-z, 0-9, "_" and "-", at most 32, the first a letter or "_"' }
}
