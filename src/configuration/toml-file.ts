import { parse, TomlError } from 'smol-toml'
import type { Problem } from './problem.ts'
import { TomlPositions, type TomlPath } from './toml-positions.ts'

/** A parsed file that knows where each of its keys stands. */
export interface TomlFile {
  readonly file: string
  readonly data: Readonly<Record<string, unknown>>
  /** A problem at the key of that path. */
  problem(path: TomlPath, message: string): Problem
}

/** Parses one file; a syntax error becomes a problem with its place. */
export function parseToml(file: string, text: string): { readonly toml?: TomlFile; readonly problem?: Problem } {
  let data: Record<string, unknown>
  try {
    data = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'unknown reason'
    return { problem: { file, line: error.line, column: error.column, message: `this is not valid TOML: ${reason}. Correct this line; the text before it was read.` } }
  }
  let positions: TomlPositions | undefined
  return {
    toml: {
      file, data,
      problem(path, message) {
        positions ??= new TomlPositions(text)
        return { file, ...positions.of(path), message }
      },
    },
  }
}
