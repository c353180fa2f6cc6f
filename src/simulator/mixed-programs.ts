/** Hosts that run an older or a newer program than the others, as while a publication is taken up: what they make of each other's messages. */
import type { Message } from '../core/message.ts'
import type { SimulatedHost } from './simulated-host.ts'

/** Kinds that came with announced leaves, operators' returns and releases without a hand: an older program neither sends nor understands them. */
const LATER_KINDS: ReadonlySet<string> = new Set(['ready', 'return-wanted', 'yield', 'look'])
/** ... nor these fields, whatever message they stand in. */
const LATER_FIELDS = ['leaving', 'agentless', 'hand_over'] as const

/** What arrives of it: nothing, the message, or the message and one of a kind that is not known here yet. */
export function translate(from: SimulatedHost, to: SimulatedHost, message: Message): Message[] {
  if (from.program === undefined && to.program === undefined) return [message]
  if (from.program === 'older' || to.program === 'older') {
    if (LATER_KINDS.has(message.kind)) return []
    return [Object.fromEntries(Object.entries(message).filter(([field]) => !LATER_FIELDS.some(later => later === field))) as unknown as Message]
  }
  if (from.program !== 'newer') return [message]
  return [{ ...message, since_later: true } as unknown as Message, ...message.kind === 'condition' ? [{ kind: 'of-later', about: from.name } as unknown as Message] : []]
}
