import { BUILTIN_PROBES } from './builtin-probes.ts'
import type { ProbeDialogue } from '../core/inventory.ts'
import { classify, FILE_LIMIT_BYTES, FILES_LIMIT, GROUP_FILE } from './layout.ts'
import type { Problem } from './problem.ts'
import { groupSchema, identitySchema, probeSchema, serverSchema, type GroupFile, type Identity, type ServerFile } from './schema.ts'
import { parseToml, type TomlFile } from './toml-file.ts'
import { validate } from './validate.ts'

/** A file that could be parsed; `value` only when it is valid in itself. */
export interface Parsed<T> {
  readonly toml: TomlFile
  readonly value?: T
}

/** Every file of the configuration, each checked by itself. */
export interface ConfigurationFiles {
  readonly group?: Parsed<GroupFile>
  readonly servers: ReadonlyMap<string, Parsed<ServerFile>>
  /** Servers whose file exists, readable or not. */
  readonly server_names: ReadonlySet<string>
  readonly probes: ReadonlyMap<string, ProbeDialogue>
  /** Probes that exist, valid or not. */
  readonly probe_names: ReadonlySet<string>
  readonly identities: ReadonlyMap<string, Identity>
  readonly problems: readonly Problem[]
}

/** Reads each file by itself; what holds between files is checked by the caller. */
export function readFiles(files: ReadonlyMap<string, string>): ConfigurationFiles {
  const problems: Problem[] = []
  const servers = new Map<string, Parsed<ServerFile>>()
  const server_names = new Set<string>()
  const probes = new Map<string, ProbeDialogue>(Object.entries(BUILTIN_PROBES))
  const probe_names = new Set(probes.keys())
  const identities = new Map<string, Identity>()
  let group: Parsed<GroupFile> | undefined
  if (files.size > FILES_LIMIT) problems.push({ file: GROUP_FILE, line: 1, message: `the configuration has ${files.size} files, more than ${FILES_LIMIT}. Remove what does not belong to it.` })
  for (const [path, text] of [...files].slice(0, FILES_LIMIT)) {
    const what = classify(path)
    if (!what || text.length > FILE_LIMIT_BYTES) {
      problems.push({ file: path, line: 1, message: what ? `the file is larger than ${FILE_LIMIT_BYTES / 1024} KiB. Shorten it.` : 'this path does not belong to the configuration. Remove the file.' })
    } else if (what.kind === 'group') {
      group = readToml(path, text, groupSchema, problems)
    } else if (what.kind === 'servers') {
      server_names.add(what.name)
      const server = readToml(path, text, serverSchema, problems)
      if (server) servers.set(what.name, server)
    } else if (what.kind === 'probes') {
      probe_names.add(what.name)
      const probe = readToml(path, text, probeSchema, problems)?.value
      probes.delete(what.name)
      if (probe) probes.set(what.name, { name: what.name, port: probe.port, ...probe.transport === 'udp' ? { transport: 'udp' as const } : {}, limit_ms: probe.limit, steps: probe.steps.map(step => ({ ...step.expect === undefined ? {} : { expect: step.expect }, ...step.send === undefined ? {} : { send: step.send } })) })
    } else {
      const identity = readIdentity(path, text, problems)
      if (identity) identities.set(what.name, identity)
    }
  }
  return { ...group ? { group } : {}, servers, server_names, probes, probe_names, identities, problems }
}

function readToml<T>(path: string, text: string, schema: Parameters<typeof validate<T>>[1], problems: Problem[]): Parsed<T> | undefined {
  const { toml, problem } = parseToml(path, text)
  if (!toml) {
    if (problem) problems.push(problem)
    return undefined
  }
  const checked = validate(toml, schema)
  problems.push(...checked.problems)
  return { toml, ...checked.value === undefined ? {} : { value: checked.value } }
}

/** Identities are written by `join` on one line: all of their problems are on it. */
function readIdentity(path: string, text: string, problems: Problem[]): Identity | undefined {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch {
    data = undefined
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    problems.push({ file: path, line: 1, message: 'this is not a JSON object. Run "ringward join" on that host again.' })
    return undefined
  }
  const json: TomlFile = { file: path, data: data as Record<string, unknown>, problem: (_, message) => ({ file: path, line: 1, message }) }
  const checked = validate(json, identitySchema)
  problems.push(...checked.problems)
  return checked.value
}
