import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemEnding } from '../src/edges/system-ending.ts'
import { reasonOf } from '../src/errors.ts'
import type { Child } from './child.ts'
import { checkCopy } from './check.ts'
import { goodCopy, type FetchParts } from './fetch.ts'
import type { FlagWatch } from './flag-watch.ts'
import { followPublications } from './follow.ts'
import { readHostSettings } from './host-settings.ts'
import { openCopy, type LocalCopy } from './local-copy.ts'
import { unrepeated, type Log } from './log.ts'
import { ownRole } from './own-role.ts'
import type { ExecuterPlaces } from './places.ts'
import { removeSession, takeOver, writeSession, type Resumed, type Session, type SessionChild } from './session.ts'
import { orderShutdown } from './shutdown-order.ts'
import { endForRestart, handOver, leaveManagement } from './stop.ts'
import { superviseCopy, type Supervisor } from './supervisor.ts'

/** When nothing may be started the causes are of the slow kind: a share that is mounted late, a publication that is corrected. */
const RETRY_MS = 5_000

export interface ManagementParts {
  readonly places: ExecuterPlaces
  readonly log: Log
  readonly flag: FlagWatch
  readonly wall: () => Date
  readonly boot_ms: () => number
  /** Whether systemd runs this Executer: only then its units and its end are ours to order and to ask for. */
  readonly under_systemd: boolean
  /** Opens the shared area at that mount point through a share helper; `quiet`: its troubles are not news. */
  readonly openShare: (share: string, quiet?: boolean) => ReturnType<FetchParts['openShare']>
}

/** Management on this host: running while the flag file stands, gone when it is removed. */
export class Management {
  private readonly parts: ManagementParts
  private saving: Promise<void> = Promise.resolve()

  constructor(parts: ManagementParts) {
    this.parts = parts
  }

  /** Until the abort; then everything that runs is ended in the manner of a restart. */
  async run(signal: AbortSignal): Promise<void> {
    const { flag, log, places } = this.parts
    let resumed = await takeOver(places.session, places.program, log)
    while (!signal.aborted) {
      if (!flag.present) {
        log.info(`no flag file (${places.flag}): management is off`)
        this.save({ schema: 'ringward.executer/1', state: 'off', children: [] })
        await flag.until(true, signal)
      } else {
        await this.whileFlag(resumed, signal)
      }
      resumed = undefined
    }
    await this.saving
  }

  private async whileFlag(resumed: Resumed | undefined, signal: AbortSignal): Promise<void> {
    const { flag, log, places } = this.parts
    const over = new AbortController()
    const gone = flag.until(false, signal).then(() => over.abort())
    log.info('the flag file is there: management is started')
    const supervisor = await this.begin(resumed, over.signal)
    const outcome = supervisor ? await followPublications(this.parts, supervisor, over.signal) : 'over'
    if (outcome === 'over') await gone
    if (!supervisor) return
    const ending = signal.aborted && this.parts.under_systemd ? await systemEnding().catch(() => undefined) : undefined
    if (ending !== undefined) {
      log.info(`the system goes down (${ending}): functions are handed over first`)
      return await handOver(supervisor, log)
    }
    if (signal.aborted) {
      log.info('the Executer is stopped: agent and guard end, the flag stays')
      await endForRestart(supervisor)
      // The session stays: the next Executer goes on with the same version, without asking the share.
      return
    }
    if (outcome === 'over') log.info('the flag file is gone: management is stopped, the services stay')
    else log.warn('THIS HOST IS NOT IN THE PUBLISHED RING ANY MORE: management is stopped as without the flag, the services stay; the flag stands, and management waits')
    await leaveManagement(supervisor, places.guard_socket, log)
    await this.saving
    await removeSession(places.session)
    log.info('management is stopped')
  }

  /** Tries until something runs or the flag is gone. */
  private async begin(resumed: Resumed | undefined, signal: AbortSignal): Promise<Supervisor | undefined> {
    const log = unrepeated(this.parts.log)
    while (!signal.aborted) {
      try {
        const supervisor = await this.startCopy(resumed, log, signal)
        supervisor.start()
        return supervisor
      } catch (error) {
        if (signal.aborted) break
        const reason = reasonOf(error)
        log.warn(`MANAGEMENT IS NOT STARTED (tried again every ${RETRY_MS / 1_000} s): ${reason}`)
        this.save({ schema: 'ringward.executer/1', state: 'waiting', reason, children: [] })
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
      resumed = undefined
    }
    return undefined
  }

  private async startCopy(resumed: Resumed | undefined, log: Log, signal: AbortSignal): Promise<Supervisor> {
    const { places, boot_ms, openShare, wall } = this.parts
    const settings = await readHostSettings(places.host_toml)
    const copy = await this.resumedCopy(resumed) ?? await goodCopy({
      places, log, wall, openShare: () => openShare(settings.share),
      check: (candidate, limited) => checkCopy(candidate, settings, places, limited),
    }, signal)
    const role = await ownRole(copy.data, settings.name, hostname())
    signal.throwIfAborted()
    log.info(`starting version ${copy.version} as server ${role.name}, profile ${role.profile}`)
    if (this.parts.under_systemd) void orderShutdown({ daemons: role.daemons, share: settings.share, libvirt: role.hypervisor === 'libvirt', log: this.parts.log }, signal)
    const supervisor = superviseCopy(copy, { places, settings, role, log: this.parts.log, boot_ms, changed: () => this.saveRunning(supervisor) })
    return supervisor
  }

  /** The version a killed Executer was running: started at once, for the lease does not wait for the share. It has passed the check before. */
  private async resumedCopy(resumed: Resumed | undefined): Promise<LocalCopy | undefined> {
    if (resumed === undefined) return undefined
    try {
      const { copy: { program } } = await openCopy(this.parts.places, resumed.version)
      const { copy: { version, data } } = await openCopy(this.parts.places, resumed.data)
      this.parts.log.info(`going on with version ${resumed.version}${version === resumed.version ? '' : ` and the configuration of ${version}`}, which an earlier Executer was running`)
      return { version, program, data }
    } catch (error) {
      this.parts.log.warn(reasonOf(error))
      return undefined
    }
  }

  private saveRunning({ copy, program_version, guard, agent }: Supervisor): void {
    this.save({ schema: 'ringward.executer/1', state: 'running', version: program_version, data: copy.version, children: [guard, agent].flatMap(sessionChild) })
  }

  private save(session: Session): void {
    this.saving = this.saving.then(() => writeSession(this.parts.places.session, session))
      .catch((error: unknown) => this.parts.log.warn(`${this.parts.places.session}: ${reasonOf(error)}`))
  }
}

function sessionChild(child: Child): SessionChild[] {
  return child.pid === undefined ? [] : [{ name: child.name, pid: child.pid, last_ends: child.lastReasons }]
}
