import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { askControl } from '../../src/control/control-client.ts'
import type { IncidentsDocument, StatusDocument } from '../../src/control/documents.ts'
import { localLogFiles } from '../../src/edges/log/log-files.ts'
import { formatLogLine } from '../../src/edges/log/log-line.ts'
import type { LogFiles } from '../../src/edges/log/log-reader.ts'
import { LogTail } from '../../src/edges/log/log-tail.ts'
import { cgroupsOf, leaderOf } from './cgroups.ts'
import { hostPlaces, LabError, type Lab } from './lab.ts'

/**
 * The ring as its own hosts tell it, asked from outside over their control sockets and read from their own disks: no process is
 * started in a host, so that looking costs the measured system next to nothing.
 */
const ANSWER_LIMIT_MS = 1_500
const LOOK_EVERY_MS = 250
/** Two hosts watch each host, in a ring of two one, in a ring of one nobody. */
const MOST_TARGETS = 2

/** The first host that answers, those to be `avoided` (they may be away) last; undefined when none does. */
async function ask(lab: Lab, verb: string, avoided: readonly string[]): Promise<unknown> {
  const hosts = lab.hosts.map(host => host.name)
  for (const host of [...hosts.filter(name => !avoided.includes(name)), ...avoided]) {
    const leader = leaderOf(cgroupsOf(lab.id, host))
    if (leader === undefined) continue
    try {
      return await askControl(`/proc/${leader}/root/run/ringward/control.sock`, verb, {}, { deadline_ms: ANSWER_LIMIT_MS })
    } catch {
      // It starts or ends just now.
    }
  }
  return undefined
}

export async function statusFrom(lab: Lab, avoided: readonly string[] = []): Promise<StatusDocument | undefined> {
  return await ask(lab, 'status', avoided) as StatusDocument | undefined
}

export async function incidentsFrom(lab: Lab, avoided: readonly string[] = []): Promise<IncidentsDocument['incidents']> {
  return (await ask(lab, 'incidents', avoided) as IncidentsDocument | undefined)?.incidents ?? []
}

/** What keeps the ring from being whole and every function at home; empty when nothing does. */
export function missingIn(lab: Lab, status: StatusDocument | undefined): string[] {
  if (!status) return ['no host of the ring answers']
  const targets = Math.min(MOST_TARGETS, lab.hosts.length - 1)
  const missing = [
    ...status.hosts.filter(host => host.state !== 'in ring' || !host.lease.good).map(host => `${host.name} is ${host.state === 'in ring' ? 'without a good lease' : host.state}`),
    ...status.hosts.filter(host => host.state === 'in ring' && host.targets.length !== targets).map(host => `${host.name} has ${host.targets.length} targets instead of ${targets}`),
    ...status.functions.filter(each => each.kind !== 'native' || each.giver !== each.name).map(each => `${each.name} is ${each.giver === null ? 'given by nobody' : `given by ${each.giver} (${each.kind})`}`),
    ...status.incidents_open.map(incident => `the incident of ${incident.target} is open (${incident.stage})`),
  ]
  // A ring of one is never better than degraded: nobody watches it.
  if (missing.length === 0 && status.verdict !== 'ok' && lab.hosts.length > 1) missing.push(status.reason)
  return missing
}

/** Resolves with nothing when the ring is whole, else after the limit with what is missing. */
export async function untilWhole(lab: Lab, limit_ms: number, avoided: readonly string[] = []): Promise<string[]> {
  const until_ms = performance.now() + limit_ms
  for (;;) {
    const missing = missingIn(lab, await statusFrom(lab, avoided))
    if (missing.length === 0 || performance.now() > until_ms) return missing
    await sleep(LOOK_EVERY_MS)
  }
}

/** Until every host is in the ring and every function native, later than under the given epochs; throws with what is missing. */
export async function untilPolicy(lab: Lab, limit_ms: number, about: readonly string[], epochs: ReadonlyMap<string, number> = new Map()): Promise<void> {
  const until_ms = performance.now() + limit_ms
  for (;;) {
    const status = await statusFrom(lab, about)
    const unmoved = status?.functions.filter(each => each.epoch <= (epochs.get(each.name) ?? -1)).map(each => `${each.name} never changed hands`) ?? []
    const missing = [...missingIn(lab, status), ...unmoved]
    if (missing.length === 0) return
    if (performance.now() > until_ms) throw new LabError(`the layout does not become policy again: ${missing.join('; ')}`)
    await sleep(LOOK_EVERY_MS)
  }
}

/** Every host's log on its own disk: complete at once, also of a host that is off. */
export function hostLogs(lab: Lab): LogFiles {
  const of = (host: string) => localLogFiles(join(hostPlaces(lab, host).root, 'var/log/ringward'), host)
  return {
    hosts: () => readdir(join(lab.directory, 'hosts')),
    list: host => of(host).list(host),
    readAt: (host, name, offset, limit) => of(host).readAt(host, name, offset, limit),
  }
}

/** The newest lines that name one of the hosts, of all logs: without them a failed run tells nothing once the lab is gone. */
export async function story(lab: Lab, { since, about, most = 200 }: { since: string; about: readonly string[]; most?: number }): Promise<string> {
  const lines: string[] = []
  for await (const entry of new LogTail({ files: hostLogs(lab), since }).history()) {
    if (about.some(name => entry.host === name || entry.text.includes(name))) lines.push(formatLogLine(entry))
  }
  return lines.slice(-most).join('\n')
}
