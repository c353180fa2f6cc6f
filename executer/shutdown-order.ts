import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from '../src/edges/command.ts'
import { reasonOf } from '../src/errors.ts'
import type { Log } from './log.ts'

/** In /run: it is about this boot's configuration, and at the next boot nothing waits for anything because of it. */
const UNITS_FOLDER = '/run/systemd/system'
const EXECUTER = 'ringward-executer.service'
const RELOAD_LIMIT_MS = 10_000
const ESCAPE_LIMIT_MS = 2_000
/** Names of the signed configuration, and still never taken for anything else. */
const UNIT = /^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,199}$/
/**
 * libvirt as one daemon or as several, what takes its machines' output, and what would end them all at shutdown: libvirt-guests.service, and the
 * target before which libvirt has their scopes (virsystemd.c).
 */
const LIBVIRT_UNITS = ['libvirtd.service', 'virtqemud.service', 'virtlogd.service', 'libvirt-guests.service', 'virt-guest-shutdown.target']
/**
 * libvirt has systemd-machined keep each machine in a scope of its own, machine-qemu\x2dNUMBER\x2dNAME.scope, which systemd ends in no order with
 * ours. The number is not known before, so this is for all scopes of machines (systemd.unit(5): "foo-.service.d").
 */
const MACHINE_SCOPES = 'machine-.scope.d/ringward.conf'

export interface ShutdownOrderParts {
  /** Service units of this host's function. */
  readonly daemons: readonly string[]
  /** Mount point of the shared area, or a folder in it. */
  readonly share: string
  /** Whether the virtual servers of others are machines of libvirt; plain ones say their order themselves (launcher.ts). */
  readonly libvirt: boolean
  readonly log: Log
  /** Where the drop-ins go; another place in tests. */
  readonly folder?: string
  readonly command?: typeof run
}

/**
 * At shutdown the Executer must end before the daemons of the function, before libvirt's machines and before the shared area is unmounted: until the
 * functions are handed over, all are needed. systemd stops in the reverse order of `After=`; which units these are, only the configuration knows.
 */
export async function orderShutdown({ daemons, share, libvirt, log, folder = UNITS_FOLDER, command = run }: ShutdownOrderParts, signal: AbortSignal): Promise<void> {
  try {
    const services = daemons.filter(name => UNIT.test(name)).map(name => (name.includes('.') ? name : `${name}.service`))
    const units = [...services, ...libvirt ? LIBVIRT_UNITS : [], ...await mountUnits(share, command, signal)]
    const changes = [
      await settle(join(folder, `${EXECUTER}.d/order.conf`), `# Written by the Executer: at shutdown it hands its functions over before these stop.\n[Unit]\nAfter=${units.join(' ')}\n`),
      await settle(join(folder, MACHINE_SCOPES), libvirt ? `# Written by ringward's Executer: at shutdown it hands over what machines give before they stop.\n[Unit]\nBefore=${EXECUTER}\n` : undefined),
    ]
    if (!changes.includes(true)) return
    const { status, stderr } = await command('systemctl', ['daemon-reload'], { limit_ms: RELOAD_LIMIT_MS, signal })
    if (status !== 0) throw new Error(stderr.trim())
  } catch (error) {
    if (!signal.aborted) log.warn(`the order of the shutdown could not be set (${reasonOf(error)}): at a reboot the services may stop before they are handed over`)
  }
}

/** Makes the file hold that text, or be gone; whether it was otherwise before. */
async function settle(file: string, text: string | undefined): Promise<boolean> {
  const former = await readFile(file, 'utf8').catch(() => undefined)
  if (former === text) return false
  if (text === undefined) {
    await rm(file, { force: true })
    return true
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o755 })
  await writeFile(`${file}.new`, text, { mode: 0o644 })
  await rename(`${file}.new`, file)
  return true
}

/** Every folder above may be the mount point; units that do not exist are passed over by systemd. */
async function mountUnits(share: string, command: typeof run, signal: AbortSignal): Promise<string[]> {
  const folders: string[] = []
  for (let folder = join(share); folder !== dirname(folder); folder = dirname(folder)) folders.push(folder)
  if (folders.length === 0) return []
  const { status, stdout } = await command('systemd-escape', ['--path', '--suffix=mount', ...folders], { limit_ms: ESCAPE_LIMIT_MS, signal })
  return status === 0 ? stdout.trim().split(/\s+/).filter(name => name !== '') : []
}
