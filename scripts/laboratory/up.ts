import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { askBoard } from './board-protocol.ts'
import { takeDown } from './down.ts'
import { makeHostRoot } from './host-root.ts'
import { rootImage } from './image.ts'
import { hostPlaces, labExists, LabError, makeLab, saveSettings, type Lab, type LabSettings } from './lab.ts'
import { makeNetwork } from './network.ts'
import { startRecorded } from './processes.ts'
import { LAB_PROGRAM } from './project.ts'
import { makeOutlet, makeShareBacking, mountShare } from './share.ts'

export type UpWishes = Omit<LabSettings, 'schema' | 'image'> & { readonly directory: string; readonly tell: (text: string) => void }

const READY_LIMIT_MS = 60_000
/** The first look costs a connection per host; the hosts need the processor to start. */
const LOOK_EVERY_MS = 100

/** Brings the whole lab up; what is half up after a failure is taken down again. Resolves when every service answers. */
export async function bringUp(wishes: UpWishes): Promise<Lab> {
  const { directory, tell, ...settings } = wishes
  if (process.getuid?.() !== 0) throw new LabError('the lab makes namespaces, mounts and bridges: run it as root (sudo)')
  if (labExists(directory)) throw new LabError(`a lab is up in ${directory}; "scripts/lab down" ends it`)
  // Everything in the directory is the lab's to remove; a folder with anything else in it is somebody's.
  if (existsSync(directory) && (await readdir(directory)).length > 0) throw new LabError(`${directory} is not empty and holds no lab; name another one with --dir`, 2)
  const unknown = (settings.agentless ?? []).filter(name => !settings.hosts.includes(name))
  if (unknown.length > 0) throw new LabError(`--agentless ${unknown.join(',')}: not among the hosts ${settings.hosts.join(',')}`, 2)
  const image = await rootImage(tell)
  if (image.built) tell(`root image built in ${(image.took_ms / 1_000).toFixed(1)} s`)
  const lab = makeLab(directory, { schema: 'ringward.lab-settings/1', ...settings, image: image.root })
  const called_off = callOff()
  try {
    await saveSettings(lab)
    await Promise.race([called_off.signal, build(lab, tell).then(() => ready(lab, tell))])
    called_off.forget()
  } catch (error) {
    const log = join(lab.directory, 'power-board.log')
    tell(`the lab did not come up${existsSync(log) ? `; its hosts' consoles and power board were in ${lab.directory}` : ''}; taking it down`)
    if (process.env['RINGWARD_LAB_KEEP_FAILED'] !== undefined) throw error
    // Steps that were under way may still add something: the second look finds it.
    await takeDown(lab.directory)
    await sleep(LOOK_EVERY_MS)
    await takeDown(lab.directory)
    throw error
  }
  return lab
}

/** ^C while the lab comes up: a promise that rejects, so that what is there is taken down. */
function callOff(): { signal: Promise<never>; forget: () => void } {
  let stop: () => void = () => undefined
  const signal = new Promise<never>((_, reject) => { stop = () => reject(new LabError('called off', 130)) })
  signal.catch(() => undefined)
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop)
  return { signal, forget: () => { for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop) } }
}

async function build(lab: Lab, tell: (text: string) => void): Promise<void> {
  tell(`hosts ${lab.hosts.map(host => host.name).join(', ')}: net, disks, shared area`)
  await mkdir(join(lab.directory, 'hosts'), { recursive: true, mode: 0o755 })
  await Promise.all([
    makeNetwork(lab),
    makeShareBacking(lab),
    ...lab.hosts.map(async host => {
      await mkdir(hostPlaces(lab, host.name).base, { recursive: true, mode: 0o755 })
      await makeHostRoot(lab, host)
      await makeOutlet(lab, host.name)
    }),
  ])
  await Promise.all(lab.hosts.map(host => mountShare(lab, host.name)))
  if (lab.settings.ringward) await setUpRing(lab, tell)
}

async function setUpRing(lab: Lab, tell: (text: string) => void): Promise<void> {
  tell('ring: configuration, keys, program, virtual servers')
  // Loaded only here: the libp2p behind it would slow down every other verb.
  const { isAgentless, writeRing } = await import('./ring-configuration.ts')
  const { buildProgram, installRingward, placeVirtualServers, publishProgram } = await import('./install-ringward.ts')
  // The virtual servers are those of the ring's configuration.
  await writeRing(lab)
  await Promise.all([buildProgram(tell), placeVirtualServers(lab)])
  await publishProgram(lab, tell)
  for (const host of lab.hosts) if (!isAgentless(lab, host.name)) await installRingward(lab, host)
}

async function ready(lab: Lab, tell: (text: string) => void): Promise<void> {
  await rm(join(lab.directory, 'power-board.log'), { force: true })
  await writeFile(join(lab.directory, 'power-board.log'), '', { mode: 0o600 })
  await startRecorded(lab.directory, 'power-board', 'nsenter', [`--net=/run/netns/${lab.switch_namespace}`, '--', LAB_PROGRAM, 'power-board', '--dir', lab.directory], join(lab.directory, 'power-board.log'))
  await until('the power board', async () => { await askBoard(lab, { verb: 'state' }) })
  tell('power on')
  const began = performance.now()
  await Promise.all(lab.hosts.map(host => askBoard(lab, { verb: 'power-on', host: host.name })))
  await Promise.all(lab.hosts.map(host => until(`the service of ${host.name}`, () => serves(lab, host.name))))
  tell(`every service answers ${((performance.now() - began) / 1_000).toFixed(1)} s after power-on`)
}

/** A host whose system ended will not answer however long one waits. */
class HostEnded extends LabError {}

export async function serves(lab: Lab, host: string): Promise<void> {
  const { hosts } = await askBoard(lab, { verb: 'state' })
  if (hosts?.[host]?.power === 'off') {
    const words = (await readFile(hostPlaces(lab, host).console, 'utf8').catch(() => '')).trim().slice(-600)
    throw new HostEnded(`the system of ${host} did not start: ${words}`)
  }
  await askBoard(lab, { verb: 'check-service', host })
}

/** Tries until it works; the last failure's words after the limit. */
export async function until(what: string, act: () => Promise<void>): Promise<void> {
  const end = performance.now() + READY_LIMIT_MS
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (error instanceof HostEnded) throw error
      if (performance.now() > end) throw new LabError(`${what} is not there after ${READY_LIMIT_MS / 1_000} s: ${error instanceof Error ? error.message : String(error)}`)
    }
    await sleep(LOOK_EVERY_MS)
  }
}
