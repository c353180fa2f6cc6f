import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { durationMs } from './durations.ts'
import { FAULTS } from './faults.ts'
import { LabError } from './lab.ts'
import { PROJECT } from './project.ts'

/** Each scenario is a folder here, named as it is called. */
const FOLDER = join(PROJECT, 'test', 'lab')
const FILE = 'scenario.json'

const duration = z.string().transform((text, context) => {
  try {
    return durationMs(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    return z.NEVER
  }
})
const pattern = z.string().transform((text, context) => {
  try {
    return new RegExp(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    return z.NEVER
  }
})
/** The whole of a text, `virtual@(mail|login) native@ftp`. */
const wholly = z.string().transform(text => `^(?:${text})$`).pipe(pattern)
const words = z.string().transform(text => text.split(/\s+/).filter(Boolean))

const step = z.union([
  /** As after `lab fault`. */
  z.strictObject({ fault: words.refine(([verb = '']) => Object.hasOwn(FAULTS, verb), 'no such fault') }),
  z.strictObject({ wait: duration }),
  /** Until the claim in force of a function is `KIND@HOLDER`. */
  z.strictObject({ until_given: z.record(z.string(), wholly), within: duration }),
  /** Until a line of any host's log since the scenario began matches. */
  z.strictObject({ until_log: pattern, within: duration }),
  /** What ringward's processes take now is what `growth_percent` is counted from: a young process of Node grows by a third in its first minutes, whatever happens. */
  z.strictObject({ remember_memory: z.literal(true) }),
  /** A host, then a command of ringward run there; it must end with that status. */
  z.strictObject({ ringward: words, exit: z.int().default(0) }),
])

const scenario = z.strictObject({
  title: z.string(),
  /** The ring it is written for, in this order. */
  hosts: z.array(z.string()).min(1),
  steps: z.array(step).min(1),
  /** Takes too long to be one of `--all`. */
  only_by_name: z.boolean().default(false),
  /** Stated before the run. What is not named here must not happen: no other claim, cut or boot. */
  expect: z.strictObject({
    /** Claims of each function from the first step to the end, in order, as `KIND@HOLDER KIND@HOLDER …`. */
    claims: z.record(z.string(), wholly).default({}),
    /** Longest cut a client of each function may meet. */
    cuts: z.record(z.string(), duration).default({}),
    /** Boots of each host. */
    boots: z.record(z.string(), z.int()).default({}),
    log: z.array(pattern).default([]),
    never_log: z.array(pattern).default([]),
    /** These lines in this order in the log of one host. */
    in_order: z.array(pattern).default([]),
    /** By so many percent a process of ringward may have grown from `remember_memory` to the end. */
    growth_percent: z.number().positive().optional(),
    /** At the end the shared area has each host's log as the host itself has it. */
    whole_logs: z.boolean().default(false),
  }),
})

export type Scenario = z.output<typeof scenario>
export type ScenarioStep = Scenario['steps'][number]

/** Reads a scenario's text; throws a usage error that names the place. */
export function parseScenario(name: string, text: string): Scenario {
  const read = scenario.safeParse(JSON.parse(text))
  if (!read.success) throw new LabError(`the scenario ${name} is not valid: ${read.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`, 2)
  if (read.data.expect.growth_percent !== undefined && !read.data.steps.some(each => 'remember_memory' in each)) throw new LabError(`the scenario ${name} expects little growth and has no step "remember_memory" from which it counts`, 2)
  const { claims, cuts, boots } = read.data.expect
  const strangers = [claims, cuts, boots].flatMap(part => Object.keys(part)).filter(host => !read.data.hosts.includes(host))
  if (strangers.length > 0) throw new LabError(`the scenario ${name} expects something of ${strangers.join(', ')}, which is none of its hosts`, 2)
  return read.data
}

export async function scenarioNames(): Promise<string[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true })
  return entries.filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
}

/** Throws a usage error for a name that is none. */
export async function readScenario(name: string): Promise<Scenario> {
  const names = await scenarioNames()
  if (!names.includes(name)) throw new LabError(`unknown scenario "${name}"; known are ${names.join(', ')}`, 2)
  return parseScenario(name, await readFile(join(FOLDER, name, FILE), 'utf8'))
}
