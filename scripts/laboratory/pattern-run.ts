import { setTimeout as sleep } from 'node:timers/promises'
import type { LogEntry } from '../../src/edges/log/log-line.ts'
import { LogTail } from '../../src/edges/log/log-tail.ts'
import { audit, type Violation } from './audit.ts'
import { askBoard } from './board-protocol.ts'
import { startClients, type ClientReport, type Cut } from './client.ts'
import { claimsSince, newestClaim } from './evidence.ts'
import { LabError, type Lab } from './lab.ts'
import type { Pattern, Scene } from './patterns.ts'
import { newestBoot_ms } from './ring-whole.ts'
import { hostLogs, incidentsFrom, story, untilPolicy } from './ring-view.ts'

export interface FunctionRun {
  readonly name: string
  /** Cut by the failures themselves, in their order: one, or one for each host lost in turn. Empty: no client noticed. */
  readonly cuts_ms: readonly number[]
  /** Cuts at the way home, or of a function whose host never failed. */
  readonly later_ms: readonly number[]
  /** Hosts that gave it by a virtual server, in order. */
  readonly givers: readonly string[]
  /** Resumes that went before it on the host that gave it first. */
  readonly queued: number
}

export interface PatternRun {
  readonly failures: readonly { readonly host: string; readonly at: string }[]
  readonly functions: readonly FunctionRun[]
  /** Virtual servers resumed on each host. */
  readonly resumes: Readonly<Record<string, number>>
  readonly incidents: number
  readonly violations: readonly Violation[]
  /** From the first cut until the layout was policy again. */
  readonly home_ms: number
  /** What the audit saw: a long gap between samples makes "clean" worth less. */
  readonly samples: number
  readonly longest_gap_ms: number
  /** Why the run failed; the story of the ring follows it. */
  readonly error?: string
}

export interface RunWishes {
  readonly every_ms: number
  readonly phase_ms: number
  /** At least so long after the newest boot: a manager accuses nobody in its first three expiries unless the ring is whole. */
  readonly rest_ms: number
}

/** Reboot limits, wake-ups and boots of all hosts but one, with room. */
const POLICY_LIMIT_MS = 120_000
const WATCH_LIMIT_MS = POLICY_LIMIT_MS + 60_000
/** The clients have their first answers by then. */
const SETTLE_MS = 700
const HOME_EVERY_MS = 100
const LINE_EVERY_MS = 10
const LINE_LIMIT_MS = 40_000
/** A power cut: ordered at `at_ms`, every process of the host gone by `until_ms`. */
interface Failure { readonly host: string; readonly at_ms: number; until_ms: number }

/** Plays a pattern once: clients of every function that may fail, the audit every 50 ms, until all are home again. */
export async function runPattern(lab: Lab, pattern: Pattern, wishes: RunWishes): Promise<PatternRun> {
  const ring = lab.hosts.map(host => host.name)
  const watched = pattern.hosts?.(ring) ?? ring
  await untilPolicy(lab, POLICY_LIMIT_MS, [])
  await sleep(Math.max(0, await newestBoot_ms(lab) + wishes.rest_ms - SETTLE_MS - wishes.phase_ms - Date.now()))
  const since = new Date().toISOString()
  const epochs = new Map(ring.map(name => [name, newestClaim(lab, name)?.claim.epoch ?? 0]))
  const failures: Failure[] = []
  const over = new AbortController()
  const watching = audit(lab, { settled: true, watch: { every_ms: 50, for_ms: WATCH_LIMIT_MS, signal: over.signal } })
  const clients = startClients(lab, lab.hosts.filter(host => watched.includes(host.name)).map(host => ({ address: host.vip, port: host.port, every_ms: wishes.every_ms, for_ms: WATCH_LIMIT_MS, limit_ms: 1_000 })))
  let error: string | undefined
  let home_ms = 0
  try {
    await sleep(SETTLE_MS + wishes.phase_ms)
    const began_ms = performance.now()
    await pattern.act(sceneOf(lab, ring, since, failures))
    await untilHome(lab, failures.map(each => each.host), epochs)
    home_ms = Math.round(performance.now() - began_ms)
  } catch (cause) {
    error = cause instanceof Error ? cause.message : String(cause)
  } finally {
    clients.stop()
    over.abort()
    // Both are waited for, so that nothing of this run reaches into the next.
    await Promise.allSettled([clients.reports, watching])
  }
  const { violations: found, watched: seen } = await watching
  // A layout that is not policy is why the run failed, not one more thing that is broken.
  const violations = error === undefined ? found : found.filter(each => each.rule !== 'L1' && each.rule !== 'L3')
  const failed = failures.map(each => each.host)
  if (error !== undefined || violations.length > 0) {
    error = `${error ?? violations.map(each => `${each.rule} ${each.subject}: ${each.text}${each.at === undefined ? '' : ` (from ${each.at}, for ${each.for_ms} ms)`}`).join('; ')}\n${await story(lab, { since, about: failed.length > 0 ? failed : ring, most: 400 })}`
  }
  const incidents = (await incidentsFrom(lab, failed)).filter(incident => incident.detected >= since).length
  return {
    failures: failures.map(({ host, at_ms }) => ({ host, at: new Date(at_ms).toISOString() })),
    ...judgeClients(lab, await clients.reports, failures, epochs), incidents, violations, home_ms,
    samples: seen?.samples ?? 0, longest_gap_ms: seen?.longest_gap_ms ?? 0, ...(error === undefined ? {} : { error }),
  }
}

function sceneOf(lab: Lab, ring: readonly string[], since: string, failures: Failure[]): Scene {
  const tail = new LogTail({ files: hostLogs(lab), since })
  const seen: LogEntry[] = []
  let begun = false
  const more = async (): Promise<void> => {
    if (begun) return void seen.push(...await tail.poll())
    begun = true
    for await (const entry of tail.history()) seen.push(entry)
  }
  return {
    ring,
    cut: async hosts => {
      const now = hosts.map((host): Failure => ({ host, at_ms: Date.now(), until_ms: Infinity }))
      failures.push(...now)
      await askBoard(lab, { verb: 'power-off', hosts })
      for (const failure of now) failure.until_ms = Date.now()
    },
    line: async pattern => {
      const until_ms = performance.now() + LINE_LIMIT_MS
      for (;;) {
        await more()
        const found = seen.find(entry => pattern.test(entry.text))
        if (found) return found
        if (performance.now() > until_ms) throw new LabError(`no host's log said ${pattern.source} within ${LINE_LIMIT_MS / 1_000} s`)
        await sleep(LINE_EVERY_MS)
      }
    },
  }
}

/** First by the records alone, which costs the hosts nothing; then by what the ring says. */
async function untilHome(lab: Lab, failed: readonly string[], epochs: ReadonlyMap<string, number>): Promise<void> {
  const moved = new Map(failed.map(name => [name, epochs.get(name) ?? 0]))
  const home = (name: string): boolean => {
    const newest = newestClaim(lab, name)
    return newest !== undefined && newest.claim.epoch > (moved.get(name) ?? 0) && newest.claim.holder === name && newest.claim.kind === 'native' && newest.release === null
  }
  const until_ms = performance.now() + POLICY_LIMIT_MS
  while (!failed.every(home) && performance.now() < until_ms) await sleep(HOME_EVERY_MS)
  await untilPolicy(lab, Math.max(10_000, until_ms - performance.now()), failed, moved)
}

function judgeClients(lab: Lab, reports: readonly ClientReport[], failures: readonly Failure[], epochs: ReadonlyMap<string, number>): Pick<PatternRun, 'functions' | 'resumes'> {
  const resumes: Record<string, number> = {}
  const found = reports.flatMap((report): (FunctionRun & { first_ms: number })[] => {
    const name = lab.hosts.find(host => host.vip === report.address)?.name
    if (name === undefined) return []
    const caused = report.cuts.filter(cut => failures.some(failure => isCausedBy(cut, failure)))
    const givers = claimsSince(lab, name, epochs.get(name) ?? 0).filter(claim => claim.kind === 'virtual').map(claim => claim.holder)
    for (const giver of givers) resumes[giver] = (resumes[giver] ?? 0) + 1
    return [{ name, cuts_ms: caused.map(cut => cut.ms), later_ms: report.cuts.filter(cut => !caused.includes(cut)).map(cut => cut.ms), givers, queued: 0, first_ms: Date.parse(caused[0]?.end ?? '') || 0 }]
  })
  // The one that a client had first was resumed first.
  const functions = found.map(({ first_ms, ...run }) => ({ ...run, queued: found.filter(other => other.givers[0] !== undefined && other.givers[0] === run.givers[0] && other.first_ms < first_ms).length }))
  return { functions, resumes }
}

/** It begins with the last good attempt, before the power cut or while the host was dying, and ends after it. */
const isCausedBy = (cut: Cut, { at_ms, until_ms }: Failure): boolean => Date.parse(cut.start) <= until_ms && (cut.end === null || Date.parse(cut.end) >= at_ms)
