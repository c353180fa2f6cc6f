import { isIP } from 'node:net'
import { parseJson } from '../edges/lines.ts'
import type { Charge, GuardRequest } from './guard-protocol.ts'

/** Function and server names as everywhere in the shared area; devices as the kernel allows them, without a leading dash. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const DEVICE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/

type Fields = Readonly<Record<string, unknown>>

const isName = (value: unknown): value is string => typeof value === 'string' && NAME.test(value)
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0

/** A group has at most 256 servers. */
const NAMES_LIMIT = 256
const isNames = (value: unknown): value is string[] => Array.isArray(value) && value.length <= NAMES_LIMIT && value.every(isName)

function asCharge(value: unknown): Charge | undefined {
  const fields = (value ?? {}) as Fields
  const { kind, epoch, vip, prefix, device, virtual_server, pid, pid_start } = fields
  const name = fields.function
  if (!isName(name) || !isCount(epoch)) return undefined
  if (kind === 'native') {
    const width = typeof vip === 'string' ? isIP(vip) : 0
    if (width === 0 || !isCount(prefix) || prefix > (width === 4 ? 32 : 128) || typeof device !== 'string' || !DEVICE.test(device)) return undefined
    return { function: name, epoch, kind, vip: vip as string, prefix, device }
  }
  if (kind !== 'virtual' || !isName(virtual_server) || !isCount(pid) || pid < 2 || typeof pid_start !== 'string') return undefined
  return { function: name, epoch, kind, virtual_server, pid, pid_start }
}

/** The request in a line, or why it is none. */
export function parseRequest(line: string): GuardRequest | { readonly request: number; readonly wrong: string } {
  const fields = parseJson(line)
  if (typeof fields !== 'object' || fields === null) return { request: 0, wrong: 'the line is no JSON object' }
  const { request, verb, generation, margin_ms, epoch, until_ms, standing, ...rest } = fields as Fields
  const name = rest.function
  if (!isCount(request)) return { request: 0, wrong: 'the request has no number' }
  if (verb === 'status') return { request, verb }
  if (verb === 'disarm' && isName(name)) return { request, verb, function: name }
  if (verb === 'bar' && isName(name) && isCount(epoch)) return { request, verb, function: name, epoch }
  if (verb === 'ride' && isTime(until_ms) && isNames(rest.promised)) return { request, verb, until_ms, promised: rest.promised }
  if (verb === 'electorate' && isNames(rest.names) && (rest.may_miss === undefined || isCount(rest.may_miss))) return { request, verb, names: rest.names, ...rest.may_miss === undefined ? {} : { may_miss: rest.may_miss } }
  if (verb === 'leave' && (standing === 'unmanaged' || standing === 'goodbye')) return { request, verb, standing }
  const charge = asCharge(rest.charge)
  if (verb === 'arm' && isCount(generation) && isTime(margin_ms) && charge) return { request, verb, generation, margin_ms, charge }
  return { request, wrong: 'the verb is unknown or a field is missing or not valid' }
}
