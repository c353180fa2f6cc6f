/**
 * `npx tsx src/simulator/scenario-main.ts [--write] [NAME…]`
 * Runs the scenarios of test/scenarios and compares their logs with the expected ones; `--write` makes the present logs the
 * expected ones. Ends with 1 when a log differs, a rule is violated or a layout is not policy at the end.
 */
import { parseArgs } from 'node:util'
import { compareLog, runNamed, scenarioNames, writeLog } from './scenario-files.ts'

function main(): void {
  const { values, positionals } = parseArgs({ options: { write: { type: 'boolean', default: false } }, allowPositionals: true })
  for (const name of positionals.length > 0 ? positionals : scenarioNames()) {
    const result = runNamed(name)
    const comparison = values.write ? undefined : compareLog(name, result)
    if (values.write) writeLog(name, result)
    const first = comparison?.outcome === 'different' ? result.log.findIndex((line, index) => line !== comparison.expected[index]) : -1
    console.log(`${name}: ${result.log.length} lines, ${comparison?.outcome ?? 'written'}${first < 0 ? '' : ` from line ${first + 1}: ${result.log[first]}`}`)
    for (const { rule, at_ms, text } of result.violations) console.log(`  ${rule} at ${at_ms} ms: ${text}`)
    for (const text of result.deviations) console.log(`  not policy: ${text}`)
    if (comparison?.outcome === 'different' || result.violations.length > 0 || result.deviations.length > 0) process.exitCode = 1
  }
}

main()
