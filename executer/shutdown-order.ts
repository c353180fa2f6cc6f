import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from '../src/edges/command.ts'
import { reasonOf } from '../src/errors.ts'
import type { Log } from './log.ts'

/** In /run: it is about this boot's configuration, and at the next boot nothing waits for anything because of it. */
const DROP_IN = '/run/systemd/system/ringward-executer.service.d/order.conf'
const RELOAD_LIMIT_MS = 10_000
const ESCAPE_LIMIT_MS = 2_000
/** Names of the signed configuration, and still never taken for anything else. */
const UNIT = /^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,199}$/

export interface ShutdownOrderParts {
  /** Service units of this host's function. */
  readonly daemons: readonly string[]
  /** Mount point of the shared area, or a folder in it. */
  readonly share: string
  readonly log: Log
  /** Where the drop-in goes; another place in tests. */
  readonly file?: string
}

/**
 * At shutdown the Executer must end before the daemons of the function and before the shared area is unmounted: until the function is handed
 * over, both are needed. systemd stops in the reverse order of `After=`; which units these are, only the configuration knows.
 */
export async function orderShutdown({ daemons, share, log, file = DROP_IN }: ShutdownOrderParts, signal: AbortSignal): Promise<void> {
  try {
    const mounts = await mountUnits(share, signal)
    const units = [...daemons.filter(name => UNIT.test(name)).map(name => (name.includes('.') ? name : `${name}.service`)), ...mounts]
    const text = `# Written by the Executer: at shutdown it hands its functions over before these stop.\n[Unit]\nAfter=${units.join(' ')}\n`
    if (await readFile(file, 'utf8').catch(() => '') === text) return
    await mkdir(dirname(file), { recursive: true, mode: 0o755 })
    await writeFile(`${file}.new`, text, { mode: 0o644 })
    await rename(`${file}.new`, file)
    const { status, stderr } = await run('systemctl', ['daemon-reload'], { limit_ms: RELOAD_LIMIT_MS, signal })
    if (status !== 0) throw new Error(stderr.trim())
  } catch (error) {
    if (!signal.aborted) log.warn(`the order of the shutdown could not be set (${reasonOf(error)}): at a reboot the services may stop before they are handed over`)
  }
}

/** Every folder above may be the mount point; units that do not exist are passed over by systemd. */
async function mountUnits(share: string, signal: AbortSignal): Promise<string[]> {
  const folders: string[] = []
  for (let folder = join(share); folder !== dirname(folder); folder = dirname(folder)) folders.push(folder)
  if (folders.length === 0) return []
  const { status, stdout } = await run('systemd-escape', ['--path', '--suffix=mount', ...folders], { limit_ms: ESCAPE_LIMIT_MS, signal })
  return status === 0 ? stdout.trim().split(/\s+/).filter(name => name !== '') : []
}
