import { z } from 'zod'
import { didYouMean, nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import type { TomlFile } from './toml-file.ts'
import type { TomlPath } from './toml-positions.ts'

/** A value shown in a message: enough to recognise it. */
const SHOWN_LIMIT = 60

/** Checks a parsed file against its schema; every issue becomes a problem at its key, with what to write instead. */
export function validate<T>(toml: TomlFile, schema: z.ZodType<T>): { readonly value?: T; readonly problems: Problem[] } {
  const result = schema.safeParse(toml.data)
  if (result.success) return { value: result.data, problems: [] }
  const issues = result.error.issues.map(issue => ({ issue, path: issue.path.map(part => typeof part === 'symbol' ? String(part) : part) }))
  // A misspelt key is one mistake, not an unknown key and a missing one.
  const meant = new Set<string>()
  const problems: Problem[] = []
  for (const { issue, path } of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    const known = Object.keys(objectAt(schema, path)?.shape ?? {})
    for (const key of issue.keys) {
      problems.push(toml.problem([...path, key], unknownKey(path, key, known)))
      const near = nearest(key, known)
      if (near !== undefined) meant.add(JSON.stringify([...path, near]))
    }
  }
  for (const { issue, path } of issues) {
    if (issue.code === 'unrecognized_keys') continue
    if (valueAt(toml.data, path) === undefined && meant.has(JSON.stringify(path))) continue
    problems.push(toml.problem(path, sentence(schema, toml.data, path, issue)))
  }
  return { problems }
}

function unknownKey(path: TomlPath, key: string, known: readonly string[]): string {
  const where = path.length === 0 ? '' : ` in ${dotted(path)}`
  const hint = didYouMean(key, known)
  return `unknown key ${shown(key)}${where}.${hint || ` Remove it; known here: ${known.join(', ')}.`}`
}

function sentence(schema: z.ZodType, data: unknown, path: TomlPath, issue: z.core.$ZodIssue): string {
  const value = valueAt(data, path)
  const advice = adviceAt(schema, path)
  if (value === undefined) return `${dotted(path)} is missing. ${advice}`
  const named = isLeaf(value) ? `${dotted(path)} = ${shown(value)}` : dotted(path)
  return `${named} ${wrong(issue, value)}. ${advice}`
}

function wrong(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type': return issue.message.startsWith('Invalid input') ? `is ${kindOf(value)}, not ${expected(issue.expected)}` : issue.message
    case 'invalid_value': return issue.message.startsWith('Invalid') ? 'is not one of the words known here' : issue.message
    case 'too_small': return Array.isArray(value) ? 'is empty' : `is too small: at least ${String(issue.minimum)}${unitOf(value)}`
    case 'too_big': return Array.isArray(value) ? `has more than ${String(issue.maximum)} entries` : `is too large: at most ${String(issue.maximum)}${unitOf(value)}`
    default: return issue.message
  }
}

function unitOf(value: unknown): string {
  return typeof value === 'string' ? ' characters' : ''
}

function expected(kind: string): string {
  const kinds: Readonly<Record<string, string>> = { string: 'text in quotes', int: 'a whole number', number: 'a number', boolean: 'true or false', array: 'a list', object: 'a table' }
  return kinds[kind] ?? kind
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  switch (typeof value) {
    case 'string': return 'text'
    case 'number': return Number.isInteger(value) ? 'a whole number' : 'a number with a fraction'
    case 'boolean': return 'true or false'
    default: return 'a table'
  }
}

function isLeaf(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > SHOWN_LIMIT ? `${text.slice(0, SHOWN_LIMIT)}…` : text
}

/** `daemons[0].probe`, counted from 1 as people count. */
export function dotted(path: TomlPath): string {
  return path.map((part, index) => typeof part === 'number' ? ` ${part + 1}` : index === 0 ? part : `${typeof path[index - 1] === 'number' ? ': ' : '.'}${part}`).join('')
}

export function valueAt(data: unknown, path: TomlPath): unknown {
  let value = data
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}

/** The description nearest to the path, from the inside out. */
function adviceAt(schema: z.ZodType, path: TomlPath): string {
  for (let length = path.length; length > 0; length--) {
    const description = at(schema, path.slice(0, length))?.description
    if (description !== undefined) return description
  }
  return 'See shared-config/ for an example.'
}

function at(schema: z.ZodType, path: TomlPath): z.ZodType | undefined {
  let here: z.ZodType | undefined = schema
  for (const part of path) {
    const bare: z.ZodType | undefined = here && unwrapped(here)
    if (bare instanceof z.ZodArray) here = bare.element as z.ZodType
    else if (bare instanceof z.ZodObject) here = (bare.shape as Record<string, z.ZodType>)[part]
    else return undefined
  }
  return here
}

function objectAt(schema: z.ZodType, path: TomlPath): z.ZodObject | undefined {
  const found = at(schema, path)
  const bare = found && unwrapped(found)
  return bare instanceof z.ZodObject ? bare : undefined
}

function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrapped(schema.unwrap() as z.ZodType)
  return schema
}
