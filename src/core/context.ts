import type { Command, IncidentEntry, Reason } from './command.ts'
import type { Message } from './message.ts'
import type { Server } from './inventory.ts'
import type { ClaimRecord } from './records.ts'
import type { FunctionFacts, HostFacts, Incident, State } from './state.ts'

/** One step under way: the state it works on, the time it happens, and what it asks for. */
export class Context {
  readonly state: State
  readonly now_ms: number
  readonly commands: Command[] = []
  readonly reasons: Reason[] = []
  /** Messages to ourselves, handled within the same step. */
  readonly inbox: Message[] = []
  private wake_ms = Infinity

  constructor(state: State, now_ms: number) {
    this.state = state
    this.now_ms = now_ms
  }

  do(command: Command): void {
    this.commands.push(command)
  }

  /** The reason comes before the act (S5). */
  because(text: string, options: { level?: Reason['level']; incident?: string | undefined } = {}): void {
    this.reasons.push({ text, level: options.level ?? 'info', ...(options.incident === undefined ? {} : { incident: options.incident }) })
  }

  /** Whether that time has come; if not, the core is woken then. */
  due(at_ms: number): boolean {
    if (this.now_ms >= at_ms) return true
    if (at_ms < this.wake_ms) this.wake_ms = at_ms
    return false
  }

  send(to: string, message: Message): void {
    if (to === this.state.self) this.inbox.push(message)
    else this.do({ command: 'send', to, message })
  }

  record(incident: Incident, stage: string, fields: Partial<IncidentEntry> = {}): void {
    this.do({ command: 'incident', entry: { incident: incident.id, target: incident.target, stage, after_ms: Math.round(this.now_ms - incident.detected_ms), ...fields } })
  }

  /** The next moment anything becomes due. */
  nextWake_ms(): number {
    return this.wake_ms
  }
}

export function serverOf(state: State, name: string): Server {
  const server = state.servers.get(name)
  if (!server) throw new Error(`no server ${name} in the inventory`)
  return server
}

export function hostOf(state: State, name: string): HostFacts {
  const facts = state.hosts.get(name)
  if (!facts) throw new Error(`no host ${name} in the inventory`)
  return facts
}

/** What that host holds by the newest claims, by nobody released. */
export function claimsHeldBy(state: State, host: string): ClaimRecord[] {
  return [...state.functions.values()].flatMap(({ claim, release }) => (claim?.holder === host && !release ? [claim] : []))
}

export function functionOf(state: State, name: string): FunctionFacts {
  const facts = state.functions.get(name)
  if (!facts) throw new Error(`no function ${name} in the inventory`)
  return facts
}
