import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrFail } from '../../src/edges/command.ts'
import { publish } from '../../src/configuration/publish.ts'
import { SystemClock } from '../../src/edges/clock.ts'
import { enable } from './host-root.ts'
import type { HostPlan } from './hosts.ts'
import { hostPlaces, LabError, shareBacking, type Lab } from './lab.ts'
import { PROJECT } from './project.ts'

const BUILD_LIMIT_MS = 180_000
const DIST_PROGRAM = join(PROJECT, 'dist', 'program')
const DIST_HOST = join(PROJECT, 'dist', 'host')
const UNIT_FILE = join(PROJECT, 'executer', 'ringward-executer.service')
const INSTALLED = 'usr/local/lib/ringward'

/** Builds the program when it was not built or is older than its sources, and publishes it with the ring's configuration. */
export async function placeProgram(lab: Lab, tell: (text: string) => void): Promise<void> {
  if (await isStale()) {
    tell('building the program')
    await runOrFail(process.execPath, [join(PROJECT, 'node_modules/tsx/dist/cli.mjs'), join(PROJECT, 'scripts/build.ts')], { limit_ms: BUILD_LIMIT_MS })
  }
  const { manifest, warnings } = await publish(shareBacking(lab), DIST_PROGRAM, { clock: new SystemClock() })
  for (const warning of warnings) tell(`check: ${warning.message}`)
  tell(`published version ${manifest.version}`)
}

async function isStale(): Promise<boolean> {
  const stamp = join(PROJECT, 'dist', 'version.json')
  if (!existsSync(stamp)) return true
  const { stdout } = await run('find', [...['src', 'agent', 'executer'].map(folder => join(PROJECT, folder)), '-name', '*.ts', '-newer', stamp, '-print', '-quit'], { limit_ms: 10_000 })
  return stdout.trim() !== ''
}

/** Installs the host side as the package would: programs, CLI, the Executer's unit, and raises the flag. The host need not run. */
export async function installRingward(lab: Lab, host: HostPlan): Promise<void> {
  if (!existsSync(join(DIST_HOST, 'executer.mjs'))) throw new LabError(`${DIST_HOST} has no executer.mjs; run "npm run build", or bring the lab up with --no-ringward`)
  const { root } = hostPlaces(lab, host.name)
  await mkdir(join(root, INSTALLED), { recursive: true })
  for (const name of await readdir(DIST_HOST)) await cp(join(DIST_HOST, name), join(root, INSTALLED, name))
  await mkdir(join(root, 'usr/local/bin'), { recursive: true })
  await cp(join(DIST_HOST, 'ringward'), join(root, 'usr/local/bin/ringward'))
  for (const path of [join(root, 'usr/local/bin/ringward'), join(root, INSTALLED, 'hand')]) await chmod(path, 0o755)
  await writeFile(join(root, 'etc/systemd/system/ringward-executer.service'), await readFile(UNIT_FILE))
  await enable(root, 'ringward-executer')
  await mkdir(join(root, 'var/lib/ringward'), { recursive: true, mode: 0o700 })
  await writeFile(join(root, 'var/lib/ringward/flag'), '')
}
