import { spawn } from 'node:child_process'
import { dialogueOfPort, holdDialogue } from './dialogues.ts'
import { LabError, type Lab } from './lab.ts'
import { LAB_PROGRAM } from './project.ts'

/**
 * The client: from its own namespace it begins a full service dialogue every period, whether or not the one before has
 * ended. A cut begins with the start of the last good attempt before the failures and ends when the first good attempt
 * after them has its answer: the longest time a client can have been without the service, to within one period.
 */
export interface ClientWishes {
  readonly address: string
  readonly port: number
  readonly every_ms: number
  readonly for_ms: number
  /** An attempt without its last answer by then is bad. */
  readonly limit_ms: number
}

export interface Attempt {
  readonly started: number
  readonly ended: number
  readonly ok: boolean
  readonly reason: string
}

export interface Cut {
  readonly start: string
  /** Null: not over when the client stopped. */
  readonly end: string | null
  readonly ms: number
  /** What the first bad attempt of the cut met. */
  readonly reason: string
}

export interface ClientReport {
  readonly schema: 'ringward.client/1'
  readonly address: string
  readonly port: number
  readonly attempts: number
  readonly failed: number
  readonly cuts: readonly Cut[]
  readonly longest_ms: number
}

/** Attempts under way at once; more means that the limit is far longer than the period. */
const MOST_AT_ONCE = 64

/** The cuts in a list of attempts ordered by their start. */
export function cutsOf(attempts: readonly Attempt[]): Cut[] {
  const cuts: Cut[] = []
  let good: Attempt | undefined
  let bad: Attempt | undefined
  for (const attempt of attempts) {
    if (!attempt.ok) bad ??= attempt
    else {
      if (bad) cuts.push(cut(good ?? bad, bad, attempt))
      good = attempt
      bad = undefined
    }
  }
  const last = attempts.at(-1)
  if (bad && last) cuts.push({ ...cut(good ?? bad, bad, last), end: null })
  return cuts
}

function cut(from: Attempt, bad: Attempt, to: Attempt): Cut {
  return { start: new Date(from.started).toISOString(), end: new Date(to.ended).toISOString(), ms: Math.round(to.ended - from.started), reason: bad.reason }
}

/** Runs the client in the present network namespace until the time is over or the signal comes; attempts are told in the order of their start. */
export async function observe(wishes: ClientWishes, told: (attempt: Attempt) => void, signal: AbortSignal): Promise<ClientReport> {
  const dialogue = dialogueOfPort(wishes.port)
  if (!dialogue) throw new LabError(`the lab has no dialogue for port ${wishes.port}; it knows 21, 22, 25, 80 and 3128`, 2)
  if (wishes.limit_ms > wishes.every_ms * MOST_AT_ONCE) throw new LabError(`more than ${MOST_AT_ONCE} attempts would be under way at once; ask less often or shorten the limit`, 2)
  const attempts: Attempt[] = []
  let telling = Promise.resolve()
  const attempt = async (): Promise<Attempt> => {
    const started = performance.timeOrigin + performance.now()
    const result = await holdDialogue(wishes.address, dialogue, wishes.limit_ms)
    return { started, ended: started + result.took_ms, ok: result.ok, reason: result.reason }
  }
  await new Promise<void>(resolve => {
    const next = () => {
      const pending = attempt()
      telling = telling.then(async () => {
        const done = await pending
        attempts.push(done)
        told(done)
      })
    }
    const beat = setInterval(next, wishes.every_ms)
    const over = () => {
      clearInterval(beat)
      clearTimeout(end)
      resolve()
    }
    const end = setTimeout(over, wishes.for_ms)
    signal.addEventListener('abort', over, { once: true })
    next()
  })
  await telling
  const cuts = cutsOf(attempts)
  return {
    schema: 'ringward.client/1', address: wishes.address, port: wishes.port, attempts: attempts.length,
    failed: attempts.filter(each => !each.ok).length, cuts, longest_ms: Math.max(0, ...cuts.map(each => each.ms)),
  }
}

/** `HH:MM:SS.mmm OK|XX` of an attempt's start, local time. */
export function lineOf(attempt: Attempt): string {
  const at = new Date(attempt.started)
  const two = (value: number) => String(value).padStart(2, '0')
  const stamp = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
  return `${stamp} ${attempt.ok ? 'OK' : `XX ${attempt.reason}`}`
}

/** Address of a host's VIP, or the address itself. */
export function resolveTarget(lab: Lab, target: string): string {
  const host = lab.hosts.find(each => each.name === target)
  if (host) return host.vip
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(target)) return target
  throw new LabError(`"${target}" is neither a host of the lab (${lab.hosts.map(each => each.name).join(', ')}) nor an address`, 2)
}

export interface RunningClient {
  /** Ends the observation early; the report follows. */
  readonly stop: () => void
  readonly report: Promise<ClientReport>
}

/** Starts the client in its namespace; `line` gets each attempt. The caller stops it or waits for its report. */
export function startClient(lab: Lab, wishes: ClientWishes, line: (text: string) => void = () => undefined): RunningClient {
  const { stop, reports } = startObserver(lab, wishes, line)
  return { stop, report: reports.then(([report]) => report as ClientReport) }
}

export interface RunningClients {
  readonly stop: () => void
  /** In the order of the wishes. */
  readonly reports: Promise<readonly ClientReport[]>
}

/** Several clients in one process: what each sees is as if it were alone, and the machine is not filled with clients. */
export function startClients(lab: Lab, wishes: readonly ClientWishes[]): RunningClients {
  return startObserver(lab, wishes, () => undefined)
}

function startObserver(lab: Lab, wishes: ClientWishes | readonly ClientWishes[], line: (text: string) => void): RunningClients {
  const child = spawn('nsenter', [`--net=/run/netns/${lab.client_namespace}`, '--', LAB_PROGRAM, 'observe', JSON.stringify(wishes)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let rest = ''
  let found: ClientReport[] | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    rest += chunk.toString()
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      if (text.startsWith('{') || text.startsWith('[')) found = [JSON.parse(text) as ClientReport | ClientReport[]].flat()
      else line(text)
    }
  })
  return {
    stop: () => { child.stdin.end() },
    reports: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', status => found ? resolve(found) : reject(new LabError(`the client ended with ${status} and without a report`, status ?? 1)))
    }),
  }
}
