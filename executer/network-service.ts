import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandResult } from '../src/edges/command.ts'
import { reasonOf } from '../src/errors.ts'
import type { Log } from './log.ts'

/** Often enough for a host to be back before people notice; a look costs 5 ms. */
const LOOK_MS = 10_000
const SYSTEMCTL_LIMIT_MS = 5_000
/** Restarting a network service takes its time, a wait for an address included. */
const RESTART_LIMIT_MS = 60_000
/** A service that fails again and again needs a person; restarting it for ever would only hide that. */
const RESTARTS_MAX = 3
const RESTARTS_WITHIN_MS = 10 * 60_000

export interface NetworkWatchParts {
  readonly log: Log
  readonly boot_ms: () => number
  readonly systemctl: (args: readonly string[], limit_ms: number, signal: AbortSignal) => Promise<CommandResult>
}

/**
 * Background watch of the host's own network service (thesis 5.2.3): a host whose network is dead cannot be helped by others. One look
 * after another until the abort. Only `failed` counts as broken: a service the admin has stopped stays stopped.
 */
export class NetworkWatch {
  private readonly parts: NetworkWatchParts
  private restarted_ms: number[] = []
  private last = ''

  constructor(parts: NetworkWatchParts) {
    this.parts = parts
  }

  /** `unit` is asked for at each look: host.toml may be corrected meanwhile. */
  async run(unit: () => Promise<string | undefined>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const name = await unit()
      if (name !== undefined) await this.look(name, signal)
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** One look, and what follows from it. */
  async look(unit: string, signal: AbortSignal): Promise<void> {
    try {
      const { stdout } = await this.parts.systemctl(['is-active', '--', unit], SYSTEMCTL_LIMIT_MS, signal)
      const state = stdout.trim()
      if (state !== this.last) this.parts.log.info(`network service ${unit}: ${state}`)
      this.last = state
      if (state === 'failed') await this.restart(unit, signal)
    } catch (error) {
      if (!signal.aborted) this.parts.log.warn(`network service ${unit}: ${reasonOf(error)}`)
    }
  }

  private async restart(unit: string, signal: AbortSignal): Promise<void> {
    const { log, boot_ms, systemctl } = this.parts
    const now_ms = boot_ms()
    this.restarted_ms = this.restarted_ms.filter(at_ms => now_ms - at_ms < RESTARTS_WITHIN_MS)
    if (this.restarted_ms.length >= RESTARTS_MAX) {
      log.warn(`network service ${unit} has failed again after ${RESTARTS_MAX} restarts in ${RESTARTS_WITHIN_MS / 60_000} minutes; not restarted for now: see \`systemctl status ${unit}\``)
      return
    }
    this.restarted_ms.push(now_ms)
    log.warn(`network service ${unit} has failed; restarting it (${this.restarted_ms.length} of ${RESTARTS_MAX} in ${RESTARTS_WITHIN_MS / 60_000} minutes)`)
    const { status, stderr } = await systemctl(['restart', '--', unit], RESTART_LIMIT_MS, signal)
    log.info(status === 0 ? `network service ${unit} restarted` : `network service ${unit} did not restart: ${stderr.trim()}`)
  }
}
