import { setTimeout as sleep } from 'node:timers/promises'
import type { IncidentsDocument, StatusDocument } from '../../src/control/documents.ts'
import { audit, type Violation } from './audit.ts'
import { startClient } from './client.ts'
import { runInside } from './exec.ts'
import { fault } from './faults.ts'
import { hostOf, LabError, type Lab } from './lab.ts'

/** The troubles of the thesis (5.4), as the lab makes them. */
export const TROUBLES: Readonly<Record<string, { readonly verb: string; readonly about: string; readonly takeover: boolean }>> = {
  St1: { verb: 'stop-daemon', about: 'daemon stopped, a restart heals', takeover: false },
  St2: { verb: 'break-daemon', about: 'daemon broken, only a reboot heals', takeover: true },
  Nt1: { verb: 'reboot', about: 'rebooted by hand', takeover: false },
  Nt2: { verb: 'power-off', about: 'power cut', takeover: true },
}

export interface MeasureWishes {
  readonly target: string
  readonly trouble: string
  readonly every_ms: number
  readonly settle_ms: number
  readonly tell: (text: string) => void
}

export interface Measured {
  readonly trouble: string
  readonly cuts_ms: readonly number[]
  /** Longest cut until the function was first given again, and the later one at its return, if any. */
  readonly longest_ms: number
  readonly taken_over: boolean
  readonly function_ms: number | null
  readonly target_ms: number | null
  readonly policy_ms: number
  readonly violations: readonly Violation[]
}

/** Phases of the interval are hit evenly by starting at these fractions of a second. */
const PHASES_MS = [0, 370, 740, 110, 480, 850, 220, 590, 960, 330]
/** Reboot limit, wake, boot, three good rounds and the return, with room. */
const POLICY_LIMIT_MS = 90_000
const LOOK_EVERY_MS = 500
const STORY_LINES = 120

/** One trouble on one host, watched by a client every `every_ms` and by the audit every 50 ms, until the layout is policy again. */
export async function measure(lab: Lab, wishes: MeasureWishes, run: number): Promise<Measured> {
  const trouble = TROUBLES[wishes.trouble]
  if (!trouble) throw new LabError(`unknown trouble "${wishes.trouble}"; known are ${Object.keys(TROUBLES).join(', ')}`, 2)
  const host = hostOf(lab, wishes.target)
  await untilPolicy(lab, wishes.target)
  const epoch = (await statusFrom(lab, wishes.target))?.functions.find(each => each.name === wishes.target)?.epoch ?? 0
  const over = new AbortController()
  const watching = audit(lab, { settled: true, watch: { every_ms: 50, for_ms: POLICY_LIMIT_MS + 30_000, signal: over.signal } })
  const client = startClient(lab, { address: host.vip, port: host.port, every_ms: wishes.every_ms, for_ms: POLICY_LIMIT_MS + 30_000, limit_ms: 1_000 })
  let policy_ms: number
  try {
    await sleep(1_500 + (PHASES_MS[run % PHASES_MS.length] ?? 0))
    const began_ms = performance.now()
    await fault(lab, trouble.verb, [wishes.target])
    await sleep(wishes.settle_ms)
    await untilPolicy(lab, wishes.target, trouble.takeover ? epoch : undefined)
    policy_ms = Math.round(performance.now() - began_ms)
  } finally {
    client.stop()
    over.abort()
    // Both are waited for, so that nothing of this run reaches into the next.
    await Promise.allSettled([client.report, watching])
  }
  const report = await client.report
  const { violations } = await watching
  const status = await statusFrom(lab, wishes.target)
  const newest = status?.functions.find(each => each.name === wishes.target)?.epoch ?? 0
  const incident = await incidentOf(lab, wishes.target)
  return {
    trouble: wishes.trouble, cuts_ms: report.cuts.map(cut => cut.ms), longest_ms: report.longest_ms, taken_over: newest > epoch + 1,
    function_ms: incident?.function_ms ?? null, target_ms: incident?.target_ms ?? null, policy_ms, violations,
  }
}

/** Asked on another host than the target, which may be away. */
async function statusFrom(lab: Lab, target: string): Promise<StatusDocument | undefined> {
  const from = lab.hosts.find(each => each.name !== target)?.name ?? target
  const { stdout } = await runInside(lab, from, ['ringward', 'status', '--json'])
  try {
    return JSON.parse(stdout) as StatusDocument
  } catch {
    return undefined
  }
}

async function incidentOf(lab: Lab, target: string): Promise<IncidentsDocument['incidents'][number] | undefined> {
  const from = lab.hosts.find(each => each.name !== target)?.name ?? target
  const { stdout } = await runInside(lab, from, ['ringward', 'incidents', '--json'])
  try {
    return (JSON.parse(stdout) as IncidentsDocument).incidents.find(each => each.target === target)
  } catch {
    return undefined
  }
}

/** What the ring itself says about the last minutes of a target: without it a failed run tells nothing once the lab is gone. */
async function story(lab: Lab, target: string): Promise<string> {
  const from = lab.hosts.find(each => each.name !== target)?.name ?? target
  const { stdout } = await runInside(lab, from, ['ringward', 'log', '--since', '3m'])
  return stdout.split('\n').filter(line => line.includes(target)).slice(-STORY_LINES).join('\n')
}

/** Until the ring is whole and every function native; with `epoch` the function must have changed hands since. */
async function untilPolicy(lab: Lab, target: string, epoch?: number): Promise<void> {
  const until_ms = performance.now() + POLICY_LIMIT_MS
  for (;;) {
    const status = await statusFrom(lab, target)
    const moved = epoch === undefined || (status?.functions.find(each => each.name === target)?.epoch ?? 0) > epoch
    if (status?.verdict === 'ok' && moved && status.incidents_open.length === 0 && status.hosts.every(host => host.targets.length === Math.min(2, lab.hosts.length - 1))) return
    if (performance.now() > until_ms) throw new LabError(`the layout is not policy again after ${POLICY_LIMIT_MS / 1_000} s: ${status?.reason ?? 'no status'}\n${await story(lab, target)}`)
    await sleep(LOOK_EVERY_MS)
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0

/** All runs of the named troubles; a line each, then medians. Resolves with false when an invariant was broken. */
export async function measureAll(lab: Lab, wishes: Omit<MeasureWishes, 'trouble' | 'settle_ms'> & { readonly troubles: readonly string[]; readonly runs: number }): Promise<boolean> {
  const { tell } = wishes
  let clean = true
  for (const trouble of wishes.troubles) {
    const results: Measured[] = []
    for (let run = 0; run < wishes.runs; run += 1) {
      const result = await measure(lab, { ...wishes, trouble, settle_ms: 3_000 }, run)
      results.push(result)
      tell(`${trouble} ${run + 1}: cuts ${result.cuts_ms.join(' + ') || 'none'} ms; function ${result.function_ms ?? '-'} ms, target ${result.target_ms ?? '-'} ms, policy after ${result.policy_ms} ms${result.taken_over ? ', taken over' : ''}${result.violations.map(each => `; VIOLATION ${each.rule} ${each.subject}: ${each.text}`).join('')}`)
      if (result.violations.length > 0) clean = false
    }
    const cuts = results.map(result => result.longest_ms)
    tell(`${trouble} (${TROUBLES[trouble]?.about}): longest cut median ${median(cuts)} ms, min ${Math.min(...cuts)}, max ${Math.max(...cuts)}; ${results.filter(result => result.taken_over).length} of ${results.length} taken over; ${clean ? 'clean' : 'VIOLATIONS'}`)
  }
  return clean
}
