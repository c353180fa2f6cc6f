import { basename, join } from 'node:path'
import { Child } from './child.ts'
import type { HostSettings } from './host-settings.ts'
import type { LocalCopy } from './local-copy.ts'
import type { Log } from './log.ts'
import type { OwnRole } from './own-role.ts'
import type { ExecuterPlaces } from './places.ts'

/** SIGKILL has been sent: the kernel needs a moment, and a process that hangs in it is abandoned. */
const REAP_LIMIT_MS = 150

/** Owns the two children of a running management. */
export interface Supervisor {
  /** What runs: the program it was started with, and the data last taken up; the version is that of the data. */
  readonly copy: LocalCopy
  readonly program_version: string
  readonly settings: HostSettings
  readonly guard: Child
  readonly agent: Child
  /** Guard first: the agent needs it. */
  start(): void
  /** The agent goes on with that data, and starts with it from now on; `current.json` names it already. */
  takeUp(version: string, data: string): void
  /** Nothing is restarted any more. */
  letGo(): void
  /** Kills what is left and reaps it. */
  killAll(): Promise<void>
}

export interface SupervisorParts {
  readonly places: ExecuterPlaces
  readonly settings: HostSettings
  readonly role: OwnRole
  readonly log: Log
  readonly boot_ms: () => number
  readonly changed: () => void
}

export function superviseCopy(copy: LocalCopy, parts: SupervisorParts): Supervisor {
  const { places, settings, role, log, boot_ms, changed } = parts
  const file = (name: string): string => join(copy.program, name)
  const environment = places.environment
  const guard = new Child({
    name: 'guard', family: 'left', environment,
    args: [file('guard.mjs'), '--host', role.name, '--share', settings.share, '--profile', role.profile, '--share-helper', file('share-helper.mjs')],
  }, log, boot_ms, changed)
  const agent = new Child({ name: 'agent', family: 'killed', environment, args: [file('agent.mjs'), '--data', copy.data, '--program', copy.program] }, log, boot_ms, changed)
  const both = [guard, agent]
  let running = copy
  return {
    get copy() { return running },
    program_version: basename(copy.program), settings, guard, agent,
    takeUp: (version, data) => {
      running = { version, program: copy.program, data }
      agent.startWith([file('agent.mjs'), '--data', data, '--program', copy.program])
      agent.signal('SIGHUP')
      changed()
    },
    start: () => both.forEach(child => child.keep()),
    letGo: () => both.forEach(child => child.letGo()),
    killAll: async () => {
      for (const child of both) {
        child.letGo()
        child.kill()
      }
      const ended = await Promise.all(both.map(child => child.ended(REAP_LIMIT_MS)))
      both.filter((_, index) => ended[index] === false).forEach(child => log.warn(`${child.name} hangs in the kernel as process ${child.pid}; it is abandoned`))
    },
  }
}
