/** Which branches of the core the schedules have taken, from what V8 counts in every process (NODE_V8_COVERAGE). */
import { readdirSync, readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'

interface V8Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface V8Coverage {
  readonly result: readonly { readonly url: string; readonly functions: readonly { readonly ranges: readonly V8Range[] }[] }[]
  readonly 'source-map-cache'?: Readonly<Record<string, { readonly lineLengths: readonly number[]; readonly data: SourceMapPayload }>>
}

interface Script {
  readonly taken: Uint8Array
  /** Every block that V8 counts by itself, of any of the processes. */
  readonly blocks: Map<string, V8Range>
  readonly lineLengths: readonly number[]
  readonly map: SourceMap
}

export interface FileCoverage {
  readonly file: string
  readonly branches: number
  readonly taken: number
  /** Where those begin that never were. */
  readonly missing_lines: readonly number[]
}

const CORE = /\/src\/core\/([a-z-]+\.ts)$/

/** Of all files of the core that were loaded; a branch is taken when any process took it. */
export function coverageOf(folder: string): FileCoverage[] {
  const scripts = new Map<string, Script>()
  for (const name of readdirSync(folder)) addProcess(scripts, JSON.parse(readFileSync(join(folder, name), 'utf8')) as V8Coverage)
  return [...scripts].map(([url, script]) => coverageOfFile(CORE.exec(url)![1]!, script)).sort((a, b) => a.file.localeCompare(b.file))
}

function addProcess(scripts: Map<string, Script>, { result, 'source-map-cache': maps = {} }: V8Coverage): void {
  for (const { url, functions } of result) {
    const map = maps[url]
    if (!CORE.test(url) || !map) continue
    const length = Math.max(...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)))
    const script = scripts.get(url) ?? { taken: new Uint8Array(length), blocks: new Map<string, V8Range>(), lineLengths: map.lineLengths, map: new SourceMap(map.data) }
    scripts.set(url, script)
    // Inner ranges come after those they lie in.
    const taken = new Uint8Array(length)
    for (const range of functions.flatMap(({ ranges }) => ranges)) {
      taken.fill(range.count > 0 ? 1 : 0, range.startOffset, range.endOffset)
      script.blocks.set(`${range.startOffset} ${range.endOffset}`, range)
    }
    for (let offset = 0; offset < length; offset += 1) script.taken[offset]! |= taken[offset]!
  }
}

function coverageOfFile(file: string, { taken, blocks, lineLengths, map }: Script): FileCoverage {
  const missing = [...blocks.values()].filter(({ startOffset, endOffset }) => !taken.subarray(startOffset, endOffset).includes(1))
  const lines = missing.map(({ startOffset }) => lineOf(startOffset, lineLengths, map)).filter(line => line !== undefined)
  return { file, branches: blocks.size, taken: blocks.size - missing.length, missing_lines: [...new Set(lines)].sort((a, b) => a - b) }
}

function lineOf(offset: number, lineLengths: readonly number[], map: SourceMap): number | undefined {
  let left = offset
  for (const [line, length] of lineLengths.entries()) {
    if (left <= length) {
      const entry = map.findEntry(line, left)
      return 'originalLine' in entry ? entry.originalLine + 1 : undefined
    }
    left -= length + 1
  }
  return undefined
}

export function describeCoverage(files: readonly FileCoverage[]): string {
  const [branches, taken] = [files.reduce((sum, file) => sum + file.branches, 0), files.reduce((sum, file) => sum + file.taken, 0)]
  return [
    `branches of the core taken: ${taken} of ${branches} (${(100 * taken / Math.max(1, branches)).toFixed(1)} %)`,
    ...files.filter(({ missing_lines }) => missing_lines.length > 0).map(({ file, missing_lines }) => `  never in ${file}: line ${missing_lines.join(', ')}`),
  ].join('\n')
}
