import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run, runOrFail } from '../../src/edges/command.ts'
import { hostPlaces, LabError, shareBacking, type Lab } from './lab.ts'
import { end, forgetProcess, isAlive, recordedProcess, signal, startRecorded } from './processes.ts'

/**
 * The shared area: one directory outside, given to each host through a FUSE server of its own, so that each host's view
 * can hang (its server stopped), fail (its server killed) and come back by itself.
 */
const LIMIT_MS = 10_000
const MOUNT_LIMIT_MS = 5_000
/** Claims, leases, views and logs of a lab are some megabytes. */
const CONTROL_SIZE = '256m'

export type ShareState = 'good' | 'hung' | 'cut' | 'read-only'

function roleOf(host: string): string {
  return `share-${host}`
}

function fusectl(lab: Pick<Lab, 'directory'>): string {
  return join(lab.directory, 'fusectl')
}

/**
 * Makes what stands behind: memory for the records, as a good file server's battery-backed cache, so that the lab's
 * times do not depend on the disk of this machine; disk for images of virtual servers.
 */
export async function makeShareBacking(lab: Lab): Promise<void> {
  const backing = shareBacking(lab)
  await mkdir(backing, { recursive: true, mode: 0o755 })
  await runOrFail('mount', ['-t', 'tmpfs', '-o', `size=${CONTROL_SIZE},mode=0755`, 'ringward-lab', backing], { limit_ms: LIMIT_MS })
  const images = join(lab.directory, 'vm')
  await mkdir(images, { recursive: true })
  await mkdir(join(backing, 'vm'))
  await runOrFail('mount', ['--bind', images, join(backing, 'vm')], { limit_ms: LIMIT_MS })
  await mkdir(fusectl(lab), { recursive: true })
  await runOrFail('mount', ['-t', 'fusectl', 'ringward-lab', fusectl(lab)], { limit_ms: LIMIT_MS })
}

/** The folder the host sees as /srv: shared, so that a shared area mounted in it later appears in a running host. */
export async function makeOutlet(lab: Lab, host: string): Promise<void> {
  const { outlet, share } = hostPlaces(lab, host)
  await mkdir(share, { recursive: true })
  await runOrFail('mount', ['--bind', outlet, outlet], { limit_ms: LIMIT_MS })
  await runOrFail('mount', ['--make-shared', outlet], { limit_ms: LIMIT_MS })
}

/** Device number of the FUSE mount on the host's share, or undefined when nothing is mounted there. */
function fuseDevice(lab: Pick<Lab, 'directory'>, host: string): string | undefined {
  const { share } = hostPlaces(lab as Lab, host)
  const line = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(each => each.split(' ')[4] === share).at(-1)
  return line?.split(' ')[2]
}

/** Mounts the shared area for a host and waits until it is there. Nothing is cached: a stale answer is a wrong decision. */
export async function mountShare(lab: Lab, host: string, state: 'good' | 'read-only' = 'good'): Promise<void> {
  const { share, share_log } = hostPlaces(lab, host)
  await unmountShare(lab, host)
  const uncached = ['attr_timeout=0', 'entry_timeout=0', 'negative_timeout=0', 'ac_attr_timeout=0', 'direct_io', 'fsname=ringward-share', ...state === 'read-only' ? ['ro'] : []]
  // Before everything else on this machine: a file server is another machine, and hosts that are busy do not make it slow.
  const record = await startRecorded(lab.directory, roleOf(host), 'nice', [
    '-n', '-20', 'bindfs', '-f', '--multithreaded', '--create-as-mounter', '--enable-lock-forwarding', '-o', uncached.join(','), shareBacking(lab), share,
  ], share_log)
  for (let waited_ms = 0; fuseDevice(lab, host) === undefined; waited_ms += 5) {
    if (!isAlive(record) || waited_ms > MOUNT_LIMIT_MS) {
      throw new LabError(`the shared area of ${host} could not be mounted: ${(await readFile(share_log, 'utf8')).trim().slice(-400)}`)
    }
    await sleep(5)
  }
  await setIntent(lab, host, state)
}

/** Ends the host's server of the shared area and takes its mount away, hung or not. */
export async function unmountShare(lab: Pick<Lab, 'directory'>, host: string): Promise<void> {
  abortShare(lab, host)
  const record = await recordedProcess(lab.directory, roleOf(host))
  if (record) await end(record)
  await forgetProcess(lab.directory, roleOf(host))
  const { share } = hostPlaces(lab as Lab, host)
  for (let tries = 0; fuseDevice(lab, host) !== undefined && tries < 10; tries += 1) await run('umount', ['-l', share], { limit_ms: LIMIT_MS })
}

/** Fails every request that waits for the host's shared area, now and later: the only way to free a process from a hung one. */
export function abortShare(lab: Pick<Lab, 'directory'>, host: string): void {
  const minor = fuseDevice(lab, host)?.split(':')[1]
  if (minor === undefined) return
  const file = join(fusectl(lab), minor, 'abort')
  if (existsSync(file)) writeFileSync(file, '1')
}

function intentFile(lab: Pick<Lab, 'directory'>, host: string): string {
  return join(hostPlaces(lab as Lab, host).base, 'share.intent')
}

async function setIntent(lab: Lab, host: string, state: ShareState): Promise<void> {
  await writeFile(intentFile(lab, host), state)
}

/** What the host's shared area is meant to be. */
export function shareState(lab: Lab, host: string): ShareState {
  try {
    return readFileSync(intentFile(lab, host), 'utf8') as ShareState
  } catch {
    return 'cut'
  }
}

/** SIGSTOP of the host's server: every access waits, as on a hard-mounted file server that stopped answering. */
export async function hangShare(lab: Lab, host: string): Promise<void> {
  const record = await recordedProcess(lab.directory, roleOf(host))
  if (!record || !signal(record, 'SIGSTOP')) throw new LabError(`the shared area of ${host} is not served; heal it first`)
  await setIntent(lab, host, 'hung')
}

/** The host's server is killed: every access fails at once. */
export async function cutShare(lab: Lab, host: string): Promise<void> {
  const record = await recordedProcess(lab.directory, roleOf(host))
  if (record) await end(record)
  await setIntent(lab, host, 'cut')
}

/** Every write is refused, and what stands there can be read, as after a failure of the file server's disk. */
export async function makeShareReadOnly(lab: Lab, host: string): Promise<void> {
  await mountShare(lab, host, 'read-only')
}

/** Makes the shared area good again: a hung server goes on where it stood, a dead or read-only one is replaced by a new mount. */
export async function healShare(lab: Lab, host: string): Promise<void> {
  if (shareState(lab, host) === 'read-only') return mountShare(lab, host)
  const record = await recordedProcess(lab.directory, roleOf(host))
  if (record && signal(record, 'SIGCONT')) await setIntent(lab, host, 'good')
  else await mountShare(lab, host)
}

/** Before a host starts: its mount is there and in the state it is meant to be in, even if a power cut had to break it. */
export async function readyShare(lab: Lab, host: string): Promise<void> {
  const meant = shareState(lab, host)
  const record = await recordedProcess(lab.directory, roleOf(host))
  if (meant !== 'cut' && !(record && isAlive(record))) {
    await mountShare(lab, host, meant === 'read-only' ? meant : 'good')
    if (meant === 'hung') await hangShare(lab, host)
  }
}

function fillerFile(lab: Lab): string {
  return join(shareBacking(lab), 'filler')
}

/** Not a block is left behind the shared area, as when somebody copies a film there. */
export async function fillShare(lab: Lab): Promise<void> {
  const file = await open(fillerFile(lab), 'a')
  try {
    for (const size of [1_048_576, 4_096]) {
      const block = Buffer.alloc(size, 'x')
      for (;;) {
        const written = await file.write(block).then(({ bytesWritten }) => bytesWritten, noRoom)
        if (written < size) break
      }
    }
  } finally {
    await file.close()
  }
}

function noRoom(error: unknown): number {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0
  throw error
}

export async function emptyShare(lab: Lab): Promise<void> {
  await rm(fillerFile(lab), { force: true })
}
