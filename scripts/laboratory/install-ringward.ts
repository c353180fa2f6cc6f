import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publish } from '../../src/configuration/publish.ts'
import { SystemClock } from '../../src/edges/clock.ts'
import { run, runOrFail } from '../../src/edges/command.ts'
import type { HostPlan } from './hosts.ts'
import { CACHE_DIRECTORY, hostPlaces, LabError, shareBacking, type Lab } from './lab.ts'
import { PROJECT } from './project.ts'

const BUILD_LIMIT_MS = 180_000
/** Building the guest (a download) and booting each virtual server once, on a slow machine without KVM. */
const GUEST_LIMIT_MS = 15 * 60_000
const TSX = join(PROJECT, 'node_modules/tsx/dist/cli.mjs')
const DIST_PROGRAM = join(PROJECT, 'dist', 'program')

/** Builds the program when it was not built or is older than its sources. */
export async function buildProgram(tell: (text: string) => void): Promise<void> {
  if (!await isStale()) return
  tell('building the program')
  await runOrFail(process.execPath, [TSX, join(PROJECT, 'scripts/build.ts')], { limit_ms: BUILD_LIMIT_MS })
}

async function isStale(): Promise<boolean> {
  const stamp = join(PROJECT, 'dist', 'version.json')
  if (!existsSync(stamp)) return true
  const { stdout } = await run('find', [...['src', 'agent', 'executer'].map(folder => join(PROJECT, folder)), '-name', '*.ts', '-newer', stamp, '-print', '-quit'], { limit_ms: 10_000 })
  return stdout.trim() !== ''
}

/** Publishes the program with the ring's configuration, as the admin would with `ringward publish`. */
export async function publishProgram(lab: Lab, tell: (text: string) => void, program = DIST_PROGRAM): Promise<void> {
  const { manifest, warnings } = await publish(shareBacking(lab), program, { clock: new SystemClock() })
  for (const warning of warnings) tell(`check: ${warning.message}`)
  tell(`published version ${manifest.version}`)
}

/** Publishes a program that does the same and is another one by its hash. */
export async function publishAnother(lab: Lab, tell: (text: string) => void): Promise<void> {
  const program = join(lab.directory, 'another-program')
  await rm(program, { recursive: true, force: true })
  await cp(DIST_PROGRAM, program, { recursive: true })
  await appendFile(join(program, 'agent.mjs'), `\n// Published by the lab at ${new Date().toISOString()}.\n`)
  await publishProgram(lab, tell, program)
}

/** Images and saved memory of the virtual servers. */
export async function placeVirtualServers(lab: Lab): Promise<void> {
  // Fetched from here: the switch's namespace, where virtual servers are booted to be saved, has no way out to a registry.
  await placing(process.execPath, [TSX, join(PROJECT, 'scripts/build-guest.ts'), '--cache', CACHE_DIRECTORY])
  await placing('nsenter', [`--net=/run/netns/${lab.switch_namespace}`, '--', process.execPath, TSX, join(PROJECT, 'scripts/laboratory/place-virtual-servers.ts'), lab.directory])
}

function placing(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ['ignore', 'ignore', 'inherit'], timeout: GUEST_LIMIT_MS, killSignal: 'SIGKILL' })
    child.once('error', reject)
    child.once('exit', (status, signal) => status === 0 ? resolve() : reject(new LabError(`the virtual servers could not be placed (${status ?? signal}); see above`)))
  })
}

/** Installs the host side with the product's own installer, and raises the flag. The host need not run. */
export async function installRingward(lab: Lab, host: HostPlan): Promise<void> {
  const { root } = hostPlaces(lab, host.name)
  await runOrFail(join(PROJECT, 'scripts', 'install-host'), ['--root', root], { limit_ms: 30_000 })
  await writeFile(join(root, 'var/lib/ringward/flag'), '')
}
