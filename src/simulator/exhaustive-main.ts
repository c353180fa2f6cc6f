/**
 * `npm run search -- [--hosts 2] [--functions 1] [--epochs 3] [--generations 2] [--faults 1] [--hand-overs] [--ride majority] [--only 'FAULT,…'] [--each] [--states 60000000] [--minutes 60]`
 * Everything that can happen to the kernel (R1–R9) within those bounds, on the real core and guard, in coarse time. `--each` searches once for each set of as many kinds as faults
 * may begin: together they are the whole search, and none needs much memory. `a: FAULT` begins at that host only. Ends with 1 when a rule of safety is broken, and tells how; with 2 when something was left.
 */
import { parseArgs } from 'node:util'
import { parseRide, RIDE_POLICIES } from '../core/inventory.ts'
import { SystemClock } from '../edges/clock.ts'
import { searchWithin, type SearchResult } from './exhaustive/search.ts'
import { HOST_NAMES } from './exhaustive/kernel-host.ts'
import { FAULTS, faultsOf, OUTAGE } from './exhaustive/turns.ts'

const { values } = parseArgs({ options: {
  hosts: { type: 'string', default: '2' }, functions: { type: 'string', default: '1' }, epochs: { type: 'string', default: '3' }, generations: { type: 'string', default: '2' }, faults: { type: 'string', default: '1' },
  ride: { type: 'string', default: 'all' }, only: { type: 'string' }, each: { type: 'boolean', default: false }, 'hand-overs': { type: 'boolean', default: false }, states: { type: 'string', default: '60000000' }, minutes: { type: 'string', default: '60' },
} })

const TOLD_EVERY_MS = 15_000
const clock = new SystemClock()
const started_ms = clock.boot_ms()
const passed_s = (): string => ((clock.boot_ms() - started_ms) / 1_000).toFixed(1)
let told_ms = started_ms

const faults = Number(values.faults)
const kinds = values.only?.split(',') ?? FAULTS
const known = faultsOf(HOST_NAMES.slice(0, Number(values.hosts)))
const strange = kinds.filter(kind => !known.includes(kind))
if (strange.length > 0) throw new Error(`there is no fault ${strange.join(', ')}; known are: ${FAULTS.join(', ')}; of one host, as in "a: ${FAULTS[0]}", all but ${OUTAGE}`)

const ride = parseRide(values.ride)
if (!ride) throw new Error(`there is no ride policy ${values.ride}; known are: ${RIDE_POLICIES.join(', ')}`)

/** All sets of so many of them. */
function setsOf(names: readonly string[], size: number): string[][] {
  if (size === 0) return [[]]
  return names.flatMap((name, index) => setsOf(names.slice(index + 1), size - 1).map(rest => [name, ...rest]))
}

function search(only: readonly string[]): SearchResult {
  return searchWithin({
    hosts: Number(values.hosts), functions: Number(values.functions), epochs: Number(values.epochs), generations: Number(values.generations), faults, hand_overs: values['hand-overs'], ...ride ? { ride } : {}, only,
  }, {
    states: Number(values.states),
    goOn: ({ states, followed, depth }) => {
      const now_ms = clock.boot_ms()
      if (now_ms - told_ms >= TOLD_EVERY_MS) {
        told_ms = now_ms
        console.error(`${passed_s()} s: ${states} states, ${followed} followed, depth ${depth}`)
      }
      return now_ms - started_ms < Number(values.minutes) * 60_000
    },
  })
}

function tell(only: readonly string[], { complete, states, depth, whole_depth, beyond, hosts, areas, sights, found }: SearchResult): void {
  const what = complete ? `all there are within the bounds, depth ${depth}` : `all of depth ${whole_depth}, then stopped`
  console.log(`${only.length === FAULTS.length ? 'all faults' : only.join(', ')}: ${states} states of ${hosts} hosts and ${areas} shared areas, ${what}; ${beyond} moves beyond the bounds; met ${[...sights].map(([sight, times]) => `${sight} ${times}`).join(', ')}`)
  if (!found) return
  console.log(`${found.rule} is broken: ${found.text}`)
  found.steps.forEach((step, index) => console.log(`${String(index + 1).padStart(4)} ${step}`))
}

let [states, depth, complete] = [0, 0, true]
for (const only of values.each ? setsOf(kinds, faults) : [kinds]) {
  const result = search(only)
  tell(only, result)
  states += result.states
  depth = Math.max(depth, result.depth)
  complete &&= result.complete
  if (!result.complete) process.exitCode = 2
  if (result.found) {
    process.exitCode = 1
    break
  }
}
console.log(`${states} states, depth ${depth}, ${complete ? 'nothing left' : 'not all'}, ${process.exitCode === 1 ? 'a violation' : 'no violation'}; ${passed_s()} s, ${Math.round(process.resourceUsage().maxRSS / 2 ** 10)} MB at most`)
