/** Something in the configuration that somebody must change: where it is, and a sentence that says what to do. */
export interface Problem {
  /** Path within the configuration, or of a local file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column?: number
  readonly message: string
}

/** `file:line:column: message`, the form editors and terminals make clickable. */
export function formatProblem(problem: Problem): string {
  const column = problem.column === undefined ? '' : `:${problem.column}`
  return `${problem.file}:${problem.line}${column}: ${problem.message}`
}

/** By file, then line, then column; the same input gives the same order on every host. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => compareText(a.file, b.file) || a.line - b.line
    || (a.column ?? 0) - (b.column ?? 0) || compareText(a.message, b.message))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
