/**
 * `npm run simulate -- --schedules 1000 [--seed 1] [--hosts 6] [--fault NAME] [--target HOST] [--faults 1] [--power none|some|all] [--agentless NAME,…] [--power-command] [--log]`
 * `--faults` is how many random faults each schedule has.
 * `--power`: which hosts have a power controller; without it, some in every fourth schedule.
 * Runs random schedules and ends with 1 on any violation of S1–S7 or any layout that did not return to policy.
 */
import { parseArgs } from 'node:util'
import { FAULTS_BY_NAME, type FaultName } from './faults.ts'
import { runSchedule, type ScheduleResult } from './schedule.ts'

interface Tally {
  schedules: number
  cuts_ms: number[]
}

function report(tally: ReadonlyMap<FaultName, Tally>, seconds: number, total: number, events: number): void {
  const percentile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  console.log('first fault                 schedules  cut p50    p99    max  [ms of virtual time]')
  for (const [fault, { schedules, cuts_ms }] of tally) {
    cuts_ms.sort((a, b) => a - b)
    console.log(`${fault.padEnd(26)} ${String(schedules).padStart(10)} ${[0.5, 0.99, 1].map(share => String(percentile(cuts_ms, share)).padStart(8)).join('')}`)
  }
  console.log(`${total} schedules in ${seconds.toFixed(1)} s: ${(total / seconds).toFixed(1)} schedules/s, ${Math.round(events / seconds / 1000)} thousand events/s`)
}

function failed(result: ScheduleResult): boolean {
  if (result.violations.length === 0 && result.deviations.length === 0) return false
  console.error(`seed ${result.seed} (${result.fault} ${result.target}):`)
  for (const { rule, at_ms, text } of result.violations) console.error(`  ${rule} at ${at_ms} ms: ${text}`)
  for (const text of result.deviations) console.error(`  not policy: ${text}`)
  return true
}

function main(): void {
  const { values } = parseArgs({ options: { schedules: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, hosts: { type: 'string', default: '6' }, fault: { type: 'string' }, target: { type: 'string' }, faults: { type: 'string', default: '1' }, power: { type: 'string' }, agentless: { type: 'string', default: '' }, 'power-command': { type: 'boolean', default: false }, log: { type: 'boolean', default: false } } })
  const fault = values.fault === undefined ? undefined : FAULTS_BY_NAME.find(name => name === values.fault)
  if (values.fault !== undefined && fault === undefined) {
    console.error(`unknown fault ${values.fault}; known: ${FAULTS_BY_NAME.join(', ')}`)
    process.exitCode = 2
    return
  }
  const power = (['none', 'some', 'all'] as const).find(name => name === values.power)
  if (values.power !== undefined && power === undefined) {
    console.error(`unknown word ${values.power}; known: none, some, all`)
    process.exitCode = 2
    return
  }
  const tally = new Map<FaultName, Tally>()
  const started_ms = performance.now()
  const [total, first] = [Number(values.schedules), Number(values.seed)]
  let failures = 0
  let events = 0
  for (let seed = first; seed < first + total; seed += 1) {
    const result = runSchedule({
      seed, hosts: Number(values.hosts), count: Number(values.faults), agentless: values.agentless.split(',').filter(Boolean), power_command: values['power-command'], ...(power ? { power } : {}), ...(fault ? { faults: [fault] } : {}), ...(values.target === undefined ? {} : { targets: [values.target] }),
      ...(values.log ? { onLog: (at_ms, host, text) => console.log(`${(at_ms / 1000).toFixed(3).padStart(9)} ${host.padEnd(6)} ${text}`) } : {}),
    })
    events += result.events
    const entry = tally.get(result.fault) ?? { schedules: 0, cuts_ms: [] }
    tally.set(result.fault, entry)
    entry.schedules += 1
    entry.cuts_ms.push(result.cut_ms)
    if (failed(result)) failures += 1
  }
  report(tally, (performance.now() - started_ms) / 1000, total, events)
  console.log(`${failures} schedules with violations of S1-S7 or without return to policy`)
  if (failures > 0) process.exitCode = 1
}

main()
