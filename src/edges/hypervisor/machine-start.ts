import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf, RingwardError } from '../../errors.ts'
import { runOrFail } from '../command.ts'
import type { Launcher } from './launcher.ts'
import { killProcess } from './machine-process.ts'
import { checkedName, loadUri, QEMU, qemuArguments, statePath, type Machine, type MachinePlaces } from './qemu-arguments.ts'
import { Qmp, withQmp } from './qmp.ts'
import { within } from '../within.ts'

const POLL_MS = 4
/** The service manager is asked about a machine that is slow to start every 50 tries, some 250 ms. */
const TRIES_A_QUESTION = 50
/** From the start of the process to its monitor; the cold case reads kernel and initrd (85 MB) from the share first. */
const START_LIMIT_MS = 10_000
/** A saved state of 60 MB takes 5 s over a share of 100 Mbit/s; beyond twice that the share hangs. */
const LOAD_LIMIT_MS = 10_000
const LINK_LIMIT_MS = 2_000
/** Of QEMU's last words, as much as a log line bears. */
const WORDS_CHARACTERS = 300

export interface Origin {
  readonly from: 'saved' | 'cold'
  readonly warning?: string
}

export interface StartContext {
  readonly machine: Machine
  readonly places: MachinePlaces
  readonly launcher: Launcher
  readonly share_vm_directory: string
  readonly log: (message: string) => void
}

/**
 * Brings a machine to "paused": from its saved state, or at its first instruction when there is none that loads.
 * Rejects with HYPERVISOR_FAILED; the caller removes what is left.
 */
export async function startMachine(context: StartContext, signal: AbortSignal): Promise<Origin> {
  if (context.machine.server.standby === 'cold') return startCold(context, signal)
  try {
    await load(context, signal)
    return { from: 'saved' }
  } catch (error) {
    if (signal.aborted) throw error
    const path = statePath(context.share_vm_directory, context.machine)
    const warning = `${context.machine.server.name} starts cold: its saved state ${path} is missing, damaged or of another QEMU; save it again (${await wordsOf(context, error)})`
    context.log(warning)
    await killProcess(context.places)
    await context.launcher.release(context.machine.server.name)
    return { ...await startCold(context, signal), warning }
  }
}

/**
 * A machine that was loaded announces itself from the moment it runs, and until that has ended QEMU passes over every order to announce (virtio-net). Every 20 to
 * 60 ms for 2 s, instead of after 50, 200, 450 … ms: the VIP comes at a moment of its own, and is heard of at once.
 */
const ANNOUNCEMENT_AFTER_LOAD = { 'announce-initial': 20, 'announce-max': 60, 'announce-rounds': 45, 'announce-step': 2 }

async function startCold(context: StartContext, signal: AbortSignal): Promise<Origin> {
  const image_directory = join(context.share_vm_directory, checkedName(context.machine.server.image))
  try {
    await launch(context, qemuArguments(context.machine, context.places, { image_directory }), signal)
  } catch (error) {
    if (signal.aborted) throw error
    throw new RingwardError('HYPERVISOR_FAILED', `${context.machine.server.name} does not start: ${await wordsOf(context, error)}`, { cause: error })
  }
  return { from: 'cold' }
}

/** QEMU ends by itself when the state is missing, damaged or of another machine: the conversation breaks off. */
async function load(context: StartContext, signal: AbortSignal): Promise<void> {
  const { machine, places, share_vm_directory } = context
  const path = statePath(share_vm_directory, machine)
  await launch(context, qemuArguments(machine, places, 'incoming'), signal)
  await withQmp(places.monitor, signal, async qmp => {
    await qmp.execute('migrate-set-parameters', ANNOUNCEMENT_AFTER_LOAD)
    await qmp.execute('migrate-incoming', { uri: loadUri(path) })
    while (await qmp.status() === 'inmigrate') await sleep(POLL_MS, undefined, { signal })
  }, LOAD_LIMIT_MS)
}

async function launch({ machine, places, launcher }: StartContext, args: string[], signal: AbortSignal): Promise<void> {
  await mkdir(places.directory, { recursive: true, mode: 0o700 })
  signal.throwIfAborted()
  await launcher.launch(machine.server.name, QEMU, args, { output: places.output })
  await within(START_LIMIT_MS, [signal], limited => awaitMonitor(machine.server.name, places, launcher, limited))
  // Not on the bridge before it runs: what arrives meanwhile would only be a backlog for a slow guest.
  await runOrFail('ip', ['link', 'set', 'dev', places.tap, 'addrgenmode', 'none', 'up'], { limit_ms: LINK_LIMIT_MS, signal })
}

async function awaitMonitor(name: string, places: MachinePlaces, launcher: Launcher, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const qmp = await Qmp.connect(places.monitor, signal)
      return qmp.close()
    } catch (error) {
      if (signal.aborted) throw error
      if (tries % TRIES_A_QUESTION === 0 && !await launcher.isRunning(name)) throw new RingwardError('HYPERVISOR_FAILED', `${QEMU} ended at once`, { cause: error })
      await sleep(POLL_MS)
    }
  }
}

async function wordsOf({ places }: StartContext, error: unknown): Promise<string> {
  const output = (await readFile(places.output, 'utf8').catch(() => '')).trim()
  return output === '' ? reasonOf(error) : output.slice(-WORDS_CHARACTERS)
}

/** Written last: a machine without it was left half prepared by an agent that died. */
export async function writeOrigin(places: MachinePlaces, origin: Origin): Promise<void> {
  await writeFile(places.prepared, JSON.stringify(origin))
}

export async function readOrigin(places: MachinePlaces): Promise<Origin | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(places.prepared, 'utf8'))
    if (typeof value !== 'object' || value === null || !('from' in value)) return undefined
    const warning = 'warning' in value && typeof value.warning === 'string' ? { warning: value.warning } : {}
    return { from: value.from === 'saved' ? 'saved' : 'cold', ...warning }
  } catch {
    return undefined
  }
}
