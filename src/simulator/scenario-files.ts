/** Scenarios on disk: `<folder>/<name>/scenario.json`, and beside it the log that is expected, literally. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseScenario, runScenario, type Scenario, type ScenarioResult } from './scenario.ts'

export const SCENARIOS_FOLDER = join(import.meta.dirname, '../../test/scenarios')

export function scenarioNames(folder = SCENARIOS_FOLDER): string[] {
  return readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory() && existsSync(join(folder, entry.name, 'scenario.json'))).map(entry => entry.name).sort()
}

export function readScenario(name: string, folder = SCENARIOS_FOLDER): Scenario {
  return parseScenario(JSON.parse(readFileSync(join(folder, name, 'scenario.json'), 'utf8')))
}

/** `missing`: there was none and it has been written; it has to be read by somebody before it is worth anything. */
export interface LogComparison {
  readonly outcome: 'same' | 'different' | 'missing'
  readonly expected: readonly string[]
}

export function compareLog(name: string, result: ScenarioResult, folder = SCENARIOS_FOLDER): LogComparison {
  const path = join(folder, name, 'expected.log')
  if (!existsSync(path)) {
    writeLog(name, result, folder)
    return { outcome: 'missing', expected: [] }
  }
  const text = readFileSync(path, 'utf8')
  return { outcome: text === logText(result) ? 'same' : 'different', expected: text.split('\n').slice(0, -1) }
}

export function writeLog(name: string, result: ScenarioResult, folder = SCENARIOS_FOLDER): void {
  writeFileSync(join(folder, name, 'expected.log'), logText(result))
}

export function runNamed(name: string, folder = SCENARIOS_FOLDER): ScenarioResult {
  return runScenario(readScenario(name, folder))
}

const logText = (result: ScenarioResult): string => `${result.log.join('\n')}\n`
