/** The story on real parts: the lab in a directory of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Incident, IncidentsDocument, StatusDocument } from '../../src/control/documents.ts'
import { askControl } from '../../src/control/control-client.ts'
import { localLogFiles } from '../../src/edges/log/log-files.ts'
import type { LogEntry } from '../../src/edges/log/log-line.ts'
import type { LogFiles } from '../../src/edges/log/log-reader.ts'
import { LogTail } from '../../src/edges/log/log-tail.ts'
import type { AuditReport } from '../laboratory/audit.ts'
import { cgroupsOf, leaderOf } from '../laboratory/cgroups.ts'
import { resolveTarget, startClient, type RunningClient } from '../laboratory/client.ts'
import { takeDown } from '../laboratory/down.ts'
import { fault } from '../laboratory/faults.ts'
import { hostOf, shareBacking, type Lab } from '../laboratory/lab.ts'
import { LAB_PROGRAM, PROJECT } from '../laboratory/project.ts'
import { bringUp } from '../laboratory/up.ts'
import { CLIENT_EVERY_MS, HOSTS, TARGET, type AuditFinding, type LogLine, type Mark, type Scene } from './scene.ts'

/** Asked in this order: the target's first manager knows the most, the others when it is gone. */
const WITNESSES = ['login', 'proxy', 'mail'] as const
const ANSWER_LIMIT_MS = 2_000
/** A host's lines reach the shared area within this: older ones can be put in order. */
const LINES_SETTLE_MS = 600
/** Longer than any story; both end when they are told to. */
const WATCH_LIMIT_MS = 600_000
const ATTEMPT_LIMIT_MS = 1_000
const AUDIT_EVERY = '50ms'
const AUDIT_LIMIT_MS = 20_000

export class LaboratoryScene implements Scene {
  readonly simulated = false
  readonly lines_late_ms = LINES_SETTLE_MS
  readonly about: string
  private readonly directory: string
  private readonly signal: AbortSignal
  private lab: Lab | undefined
  private tail: LogTail | undefined
  private lines: LogEntry[] = []
  private board_read = 0
  private marks: Mark[] = []
  private client: RunningClient | undefined
  private auditor: { readonly child: ChildProcess; readonly report: Promise<AuditReport | undefined> } | undefined
  private readonly leaders = new Map<string, number>()

  /** `signal` ends every wait. */
  constructor(directory: string, signal: AbortSignal) {
    this.directory = directory
    this.signal = signal
    this.about = `real hosts (containers with their own system, services, network and power switch) in ${directory}`
  }

  async bringUp(tell: (text: string) => void): Promise<void> {
    this.lab = await bringUp({
      directory: this.directory, tell, hosts: HOSTS, interval: '1s', standby: 'saved', post_delay_ms: 0, ringward: true, project: PROJECT,
    })
    this.signal.throwIfAborted()
    this.tail = new LogTail({ files: logFiles(this.lab), since: '' })
  }

  async pass(duration_ms: number): Promise<void> {
    await sleep(duration_ms, undefined, { signal: this.signal })
  }

  now(): number {
    return Date.now()
  }

  look(): Promise<StatusDocument | undefined> {
    return this.ask('status') as Promise<StatusDocument | undefined>
  }

  async incident(): Promise<Incident | undefined> {
    const document = await this.ask('incidents') as IncidentsDocument | undefined
    return document?.incidents.find(incident => incident.target === TARGET)
  }

  /** The hosts' own control sockets, reached through their file systems: what `ringward status --json` prints there. */
  private async ask(verb: string): Promise<unknown> {
    for (const host of WITNESSES) {
      const leader = this.leaders.get(host) ?? leaderOf(cgroupsOf(this.up.id, host))
      if (leader === undefined) continue
      this.leaders.set(host, leader)
      try {
        return await askControl(`/proc/${leader}/root/run/ringward/control.sock`, verb, {}, { deadline_ms: ANSWER_LIMIT_MS, signal: this.signal })
      } catch {
        this.signal.throwIfAborted()
        // The next witness; this one may have rebooted since.
        this.leaders.delete(host)
      }
    }
    return undefined
  }

  async newLines(): Promise<readonly LogLine[]> {
    if (!this.tail) return []
    this.lines.push(...await this.tail.poll(), ...await this.boardLines())
    const settled = new Date(Date.now() - LINES_SETTLE_MS).toISOString()
    const old = this.lines.filter(line => line.time <= settled).sort((a, b) => a.time < b.time ? -1 : a.time > b.time ? 1 : 0)
    this.lines = this.lines.filter(line => line.time > settled)
    return old.map(line => ({ at_ms: Date.parse(line.time), host: line.host, alarm: line.level === 'error', text: line.text }))
  }

  /** Power switched by the lab's power board: the proof that the magic packet arrived. */
  private async boardLines(): Promise<LogEntry[]> {
    const text = await readFile(join(this.up.directory, 'power-board.log'), 'utf8').catch(() => '')
    const fresh = text.slice(this.board_read, text.lastIndexOf('\n') + 1)
    this.board_read += fresh.length
    return fresh.split('\n').flatMap((line): LogEntry[] => {
      const [, time, words] = /^(\S+Z) (\S+: power .*)$/.exec(line) ?? []
      return time === undefined || words === undefined ? [] : [{ time, host: 'switch', sequence: 0, level: 'info', incident: null, text: words }]
    })
  }

  newMarks(): readonly Mark[] {
    return this.marks.splice(0)
  }

  startWatching(): Promise<void> {
    const lab = this.up
    this.client = startClient(lab, {
      address: resolveTarget(lab, TARGET), port: hostOf(lab, TARGET).port, every_ms: CLIENT_EVERY_MS, for_ms: WATCH_LIMIT_MS, limit_ms: ATTEMPT_LIMIT_MS,
    }, line => {
      const [clock, word] = line.split(' ')
      if (clock !== undefined && word !== undefined) this.marks.push({ clock, ok: word === 'OK' })
    })
    // Whoever waits for it hears of its failure.
    this.client.report.catch(() => undefined)
    this.auditor = startAudit(lab)
    return Promise.resolve()
  }

  async cutPower(): Promise<void> {
    await fault(this.up, 'power-off', [TARGET])
  }

  async stopWatching(): ReturnType<Scene['stopWatching']> {
    this.client?.stop()
    this.auditor?.child.kill('SIGINT')
    const report = await this.auditor?.report
    const client = await this.client?.report
    return { client: client ?? { attempts: 0, failed: 0, cuts: [] }, audit: findingOf(report) }
  }

  /** Ends what was started besides the lab, and the lab unless it is kept. Safe at any time and twice. */
  async close(keep: boolean): Promise<void> {
    this.client?.stop()
    const { auditor } = this
    auditor?.child.kill('SIGKILL')
    await auditor?.report
    await this.client?.report.catch(() => undefined)
    if (keep) return
    // What was under way when the story was called off may have added something after the first look.
    await takeDown(this.directory)
    await takeDown(this.directory)
  }

  private get up(): Lab {
    if (!this.lab) throw new Error('the lab is not up')
    return this.lab
  }
}

function startAudit(lab: Lab): { child: ChildProcess; report: Promise<AuditReport | undefined> } {
  // A group of its own: ^C reaches the demonstration alone, which ends this in order.
  const child = spawn(LAB_PROGRAM, ['audit', '--dir', lab.directory, '--json', '--settled', '--watch', AUDIT_EVERY, '--for', `${WATCH_LIMIT_MS}ms`], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const report = new Promise<AuditReport | undefined>(resolve => {
    child.once('error', () => resolve(undefined))
    child.once('close', () => {
      try {
        resolve(JSON.parse(text) as AuditReport)
      } catch {
        resolve(undefined)
      }
    })
  })
  return { child, report: Promise.race([report, sleep(WATCH_LIMIT_MS + AUDIT_LIMIT_MS, undefined, { ref: false })]) }
}

function findingOf(report: AuditReport | undefined): AuditFinding {
  if (!report) return { ok: false, violations: ['the audit gave no report'], how: 'lab audit' }
  const { watched } = report
  const how = watched ? `${watched.samples} samples of every host's addresses (longest gap ${watched.longest_gap_ms} ms), ${watched.answers} answers to ARP questions` : 'not watched'
  return { ok: report.ok, how, violations: report.violations.map(each => `${each.rule} ${each.subject}: ${each.text}${each.at === undefined ? '' : ` (from ${each.at}, for ${each.for_ms} ms)`}`) }
}

/** The logs in the shared area, read behind it. */
function logFiles(lab: Lab): LogFiles {
  const folder = join(shareBacking(lab), 'log')
  const of = (host: string) => localLogFiles(join(folder, host), host)
  return {
    hosts: () => readdir(folder).catch(() => []),
    list: host => of(host).list(host),
    readAt: (host, name, offset, limit) => of(host).readAt(host, name, offset, limit),
  }
}
