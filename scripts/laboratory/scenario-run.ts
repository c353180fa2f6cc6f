import { setTimeout as sleep } from 'node:timers/promises'
import type { LogEntry } from '../../src/edges/log/log-line.ts'
import { LogTail } from '../../src/edges/log/log-tail.ts'
import { audit } from './audit.ts'
import { askBoard } from './board-protocol.ts'
import { startClients } from './client.ts'
import { claimsSince, lookAtHost, newestClaim } from './evidence.ts'
import { runInside } from './exec.ts'
import { fault } from './faults.ts'
import { LabError, type Lab } from './lab.ts'
import { memoryOf, type Memory } from './process-memory.ts'
import { newestBoot_ms } from './ring-whole.ts'
import { hostLogs, story, untilPolicy } from './ring-view.ts'
import type { Scenario, ScenarioStep } from './scenario-file.ts'
import { unexpectedIn, type ScenarioSeen } from './scenario-judge.ts'
import { logsBehind } from './whole-logs.ts'

export interface ScenarioRun {
  readonly seen: Omit<ScenarioSeen, 'log'>
  /** From the first step until the layout was policy again. */
  readonly home_ms: number
  readonly samples: number
  readonly longest_gap_ms: number
  /** Empty: as stated. */
  readonly unexpected: readonly string[]
  /** What the hosts' logs tell of it; empty when nothing was unexpected and nobody asked. */
  readonly story: string
}

export interface ScenarioWishes {
  /** Period of the clients. */
  readonly every_ms: number
  /** At least so long after the newest boot: a manager accuses nobody in its first three expiries unless the ring is whole. */
  readonly rest_ms: number
  /** Tell the story of a run that was as stated, too. */
  readonly story: boolean
}

/** 48 good rounds of a server that came home often within the hour, beside reboot limits, wake-ups and boots. */
const POLICY_LIMIT_MS = 180_000
/** Steps wait for ten minutes and some; the observers end with the run. */
const WATCH_LIMIT_MS = 30 * 60_000
const AUDIT_EVERY_MS = 50
/** A client that is answered within 3 s was not cut off: virtual servers without KVM make two cores slow for a second or two. */
const CLIENT_LIMIT_MS = 3_000
const SETTLE_MS = 700
/** A start of a function with room: it asks the net for the VIP first. */
const HELD_LIMIT_MS = 15_000
const LOOK_EVERY_MS = 20

/** Plays a scenario once, with a client of every function and the audit all the time, and compares it with what it states. */
export async function runScenario(lab: Lab, scenario: Scenario, wishes: ScenarioWishes): Promise<ScenarioRun> {
  const ring = lab.hosts.map(host => host.name)
  await untilPolicy(lab, POLICY_LIMIT_MS, [])
  await sleep(Math.max(0, await newestBoot_ms(lab) + wishes.rest_ms - SETTLE_MS - Date.now()))
  const since = new Date().toISOString()
  const log = await LogFromNow.of(lab)
  const epochs = new Map(ring.map(name => [name, newestClaim(lab, name)?.claim.epoch ?? 0]))
  const boots = await bootsOf(lab)
  let memory: Memory | undefined
  const over = new AbortController()
  const watching = audit(lab, { settled: true, watch: { every_ms: AUDIT_EVERY_MS, for_ms: WATCH_LIMIT_MS, signal: over.signal } })
  const clients = startClients(lab, lab.hosts.map(host => ({ address: host.vip, port: host.port, every_ms: wishes.every_ms, for_ms: WATCH_LIMIT_MS, limit_ms: CLIENT_LIMIT_MS })))
  const failures: string[] = []
  await sleep(SETTLE_MS)
  const began_ms = performance.now()
  try {
    for (const step of scenario.steps) {
      if ('remember_memory' in step) memory = memoryOf(lab)
      else await play(lab, step, log)
    }
    await untilPolicy(lab, POLICY_LIMIT_MS, struck(scenario))
    await untilHeld(lab)
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error))
  } finally {
    clients.stop()
    over.abort()
    // Both are waited for, so that nothing of this run reaches into the next.
    await Promise.allSettled([clients.reports, watching])
  }
  const home_ms = Math.round(performance.now() - began_ms)
  const { violations, watched } = await watching
  const now = await bootsOf(lab)
  const seen: ScenarioSeen = {
    claims: new Map(ring.map(name => [name, claimsSince(lab, name, epochs.get(name) ?? 0).map(claim => `${claim.kind}@${claim.holder}`).join(' ')])),
    cuts: new Map((await clients.reports).map(report => [lab.hosts.find(host => host.vip === report.address)?.name ?? '', report.cuts])),
    boots: new Map(ring.map(name => [name, (now.get(name) ?? 0) - (boots.get(name) ?? 0)])),
    log: await log.entries(), violations,
    ...(memory ? { memory: [memory, memoryOf(lab)] } : {}),
    ...(scenario.expect.whole_logs ? { logs_behind: await logsBehind(lab) } : {}),
  }
  const unexpected = [...failures, ...unexpectedIn(scenario, seen)]
  return {
    seen, home_ms, samples: watched?.samples ?? 0, longest_gap_ms: watched?.longest_gap_ms ?? 0, unexpected,
    story: wishes.story || unexpected.length > 0 ? await story(lab, { since, about: ring, most: 400 }) : '',
  }
}

/** A claim stands before its VIP does: until each host has its own, or the audit may tell what is missing; then the clients get another answer. */
async function untilHeld(lab: Lab): Promise<void> {
  const end_ms = performance.now() + HELD_LIMIT_MS
  const isHeld = (): boolean => lab.hosts.every(host => lookAtHost(lab, host.name).addresses.includes(host.vip))
  while (!isHeld() && performance.now() < end_ms) await sleep(LOOK_EVERY_MS)
  // What was asked while nobody answered is over by then.
  await sleep(CLIENT_LIMIT_MS + SETTLE_MS)
}

/** Hosts the scenario does something to: they may not answer, and are asked last. */
function struck({ hosts, steps }: Scenario): string[] {
  const words = steps.flatMap(step => 'fault' in step ? step.fault.join(' ').split(/[^a-z0-9]+/) : [])
  return hosts.filter(host => words.includes(host))
}

async function play(lab: Lab, step: Exclude<ScenarioStep, { remember_memory: true }>, log: LogFromNow): Promise<void> {
  if ('fault' in step) {
    const [verb = '', ...args] = step.fault
    await fault(lab, verb, args)
  } else if ('wait' in step) await sleep(step.wait)
  else if ('until_given' in step) {
    for (const [name, given] of Object.entries(step.until_given)) {
      await until(step.within, () => Promise.resolve(given.test(inForce(lab, name))), () => `${name} was not given by ${given.source} but by ${inForce(lab, name) || 'nobody'}`)
    }
  } else if ('until_log' in step) {
    await until(step.within, async () => (await log.entries()).some(entry => step.until_log.test(entry.text)), () => `no host's log said ${step.until_log.source}`)
  } else {
    const [host = '', ...args] = step.ringward
    const { status, stdout, stderr } = await runInside(lab, host, ['ringward', ...args])
    if (status !== step.exit) throw new LabError(`ringward ${args.join(' ')} on ${host} ended with ${status} instead of ${step.exit}: ${(stderr || stdout).trim().slice(0, 400)}`)
  }
}

async function until(limit_ms: number, holds: () => Promise<boolean>, otherwise: () => string): Promise<void> {
  const end_ms = performance.now() + limit_ms
  while (!await holds()) {
    if (performance.now() > end_ms) throw new LabError(`after ${limit_ms / 1_000} s ${otherwise()}`)
    await sleep(LOOK_EVERY_MS)
  }
}

/** `KIND@HOLDER` of a function's claim in force; empty when it was released or never claimed. */
function inForce(lab: Lab, name: string): string {
  const newest = newestClaim(lab, name)
  return newest === undefined || newest.release !== null ? '' : `${newest.claim.kind}@${newest.claim.holder}`
}

async function bootsOf(lab: Lab): Promise<Map<string, number>> {
  const { hosts = {} } = await askBoard(lab, { verb: 'state' })
  return new Map(Object.entries(hosts).map(([name, { boots }]) => [name, boots]))
}

/** What the hosts' logs have got since: by their place in the files, for a clock that was wrong stamps lines of an hour ago, or of the next. */
class LogFromNow {
  private readonly tail: LogTail
  private readonly found: LogEntry[] = []

  private constructor(tail: LogTail) {
    this.tail = tail
  }

  static async of(lab: Lab): Promise<LogFromNow> {
    const tail = new LogTail({ files: hostLogs(lab), since: '' })
    for await (const former of tail.history()) void former
    return new LogFromNow(tail)
  }

  async entries(): Promise<readonly LogEntry[]> {
    for (let news = await this.tail.poll(); news.length > 0; news = await this.tail.poll()) this.found.push(...news)
    return this.found
  }
}
