import { setTimeout as sleep } from 'node:timers/promises'
import { audit, type Violation } from './audit.ts'
import { askBoard } from './board-protocol.ts'
import { startClient } from './client.ts'
import { fault } from './faults.ts'
import { hostOf, LabError, type Lab } from './lab.ts'
import { median } from './median.ts'
import { incidentsFrom, statusFrom, story, untilPolicy } from './ring-view.ts'

/** The troubles of the thesis (5.4), as the lab makes them, and a shutdown: its end is a person who switches the host on again. */
export const TROUBLES: Readonly<Record<string, { readonly verb: string; readonly about: string; readonly takeover: boolean; readonly switch_on?: true }>> = {
  St1: { verb: 'stop-daemon', about: 'daemon stopped, a restart heals', takeover: false },
  St2: { verb: 'break-daemon', about: 'daemon broken, only a reboot heals', takeover: true },
  Nt1: { verb: 'reboot', about: 'rebooted by hand', takeover: true },
  Nt2: { verb: 'power-off', about: 'power cut', takeover: true },
  Leave: { verb: 'shutdown', about: 'shut down by hand, switched on when it is off', takeover: true, switch_on: true },
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
/** Of a systemd that ends everything in the host. */
const SHUTDOWN_LIMIT_MS = 60_000

/** One trouble on one host, watched by a client every `every_ms` and by the audit every 50 ms, until the layout is policy again. */
export async function measure(lab: Lab, wishes: MeasureWishes, run: number): Promise<Measured> {
  const trouble = TROUBLES[wishes.trouble]
  if (!trouble) throw new LabError(`unknown trouble "${wishes.trouble}"; known are ${Object.keys(TROUBLES).join(', ')}`, 2)
  const host = hostOf(lab, wishes.target)
  await untilPolicy(lab, POLICY_LIMIT_MS, [wishes.target])
  const epoch = await epochOf(lab, wishes.target)
  const since = new Date().toISOString()
  const over = new AbortController()
  const watching = audit(lab, { settled: true, watch: { every_ms: 50, for_ms: POLICY_LIMIT_MS + 30_000, signal: over.signal } })
  const client = startClient(lab, { address: host.vip, port: host.port, every_ms: wishes.every_ms, for_ms: POLICY_LIMIT_MS + 30_000, limit_ms: 1_000 })
  let policy_ms: number
  try {
    await sleep(1_500 + (PHASES_MS[run % PHASES_MS.length] ?? 0))
    const began_ms = performance.now()
    await fault(lab, trouble.verb, [wishes.target])
    await sleep(wishes.settle_ms)
    if (trouble.switch_on) await switchOn(lab, wishes.target)
    await untilPolicy(lab, POLICY_LIMIT_MS, [wishes.target], trouble.takeover ? new Map([[wishes.target, epoch]]) : undefined)
    policy_ms = Math.round(performance.now() - began_ms)
  } catch (error) {
    // Without the ring's own story a failed run tells nothing once the lab is gone.
    throw new LabError(`${error instanceof Error ? error.message : String(error)}\n${await story(lab, { since, about: [wishes.target] })}`)
  } finally {
    client.stop()
    over.abort()
    // Both are waited for, so that nothing of this run reaches into the next.
    await Promise.allSettled([client.report, watching])
  }
  const report = await client.report
  const { violations } = await watching
  const newest = await epochOf(lab, wishes.target)
  const incident = (await incidentsFrom(lab, [wishes.target])).find(each => each.target === wishes.target)
  return {
    trouble: wishes.trouble, cuts_ms: report.cuts.map(cut => cut.ms), longest_ms: report.longest_ms, taken_over: newest > epoch + 1,
    function_ms: incident?.function_ms ?? null, target_ms: incident?.target_ms ?? null, policy_ms, violations,
  }
}

async function switchOn(lab: Lab, host: string): Promise<void> {
  const until_ms = performance.now() + SHUTDOWN_LIMIT_MS
  while ((await askBoard(lab, { verb: 'state' })).hosts?.[host]?.power !== 'off') {
    if (performance.now() > until_ms) throw new LabError(`${host} is still on ${SHUTDOWN_LIMIT_MS / 1_000} s after it was told to shut down`)
    await sleep(100)
  }
  await fault(lab, 'power-on', [host])
}

async function epochOf(lab: Lab, name: string): Promise<number> {
  return (await statusFrom(lab, [name]))?.functions.find(each => each.name === name)?.epoch ?? 0
}

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
