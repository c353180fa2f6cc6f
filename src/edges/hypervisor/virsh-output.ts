/** What virsh prints, read without guessing: a line that is not understood is passed over. */

/** Numbers of `virDomainState`. */
const PAUSED = 3
const SHUT_OFF = 5

export interface DomainState {
  readonly name: string
  readonly state: 'paused' | 'running'
}

/**
 * `virsh domstats --state --raw`: every machine that libvirt has a process for. Whatever is not paused counts as running: its processors
 * may run (blocked, shutting down).
 */
export function readDomainStates(text: string): DomainState[] {
  const found: DomainState[] = []
  let name: string | undefined
  for (const line of text.split('\n')) {
    const domain = /^Domain: '(.+)'$/.exec(line)?.[1]
    if (domain !== undefined) name = domain
    const state = /^\s+state\.state=(\d+)$/.exec(line)?.[1]
    if (state === undefined || name === undefined) continue
    if (Number(state) !== SHUT_OFF) found.push({ name, state: Number(state) === PAUSED ? 'paused' : 'running' })
    name = undefined
  }
  return found
}

/** A line of `virsh event --event lifecycle --loop`: the machine that ended, if it tells of an end. */
export function readEnd(line: string): string | undefined {
  return /^event 'lifecycle' for domain '(.+)': (?:Stopped|Crashed)\b/.exec(line)?.[1]
}

/** The document in the answer of `virsh qemu-agent-command` or `qemu-monitor-command`; empty when it returns nothing. */
export function readReturn(text: string): Record<string, unknown> {
  const answer: unknown = JSON.parse(text)
  const value: unknown = typeof answer === 'object' && answer !== null && 'return' in answer ? answer.return : undefined
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
