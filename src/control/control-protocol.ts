import { parseJson } from '../edges/lines.ts'

/** Between CLI and agent: JSON lines over the Unix socket `control.sock` (0600), one answer per request. */
export interface ControlRequest {
  readonly id: number
  readonly verb: string
  readonly args: Readonly<Record<string, unknown>>
}

export type ControlReply =
  | { readonly id: number | null; readonly ok: true; readonly document: unknown }
  | { readonly id: number | null; readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

/** A request is a verb and a few names; every host of a large ring fits. */
export const REQUEST_LIMIT_CHARACTERS = 64 * 1024
/** The largest answer is the list of incidents: 200 of them with 20 KB each. */
export const REPLY_LIMIT_CHARACTERS = 4 * 1024 * 1024

/** The request a line holds, or undefined when it is none. */
export function parseRequest(line: string): ControlRequest | undefined {
  const value = parseJson(line)
  if (!isObject(value) || typeof value['id'] !== 'number' || typeof value['verb'] !== 'string') return undefined
  const args = value['args'] ?? {}
  if (!isObject(args)) return undefined
  return { id: value['id'], verb: value['verb'], args }
}

/** The reply a line holds, or undefined when it is none. */
export function parseReply(line: string): ControlReply | undefined {
  const value = parseJson(line)
  if (!isObject(value)) return undefined
  const id = typeof value['id'] === 'number' ? value['id'] : null
  if (value['ok'] === true) return { id, ok: true, document: value['document'] }
  const error = value['error']
  if (value['ok'] !== false || !isObject(error)) return undefined
  const { code, message } = error
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  return { id, ok: false, error: { code, message } }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
