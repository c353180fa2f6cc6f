import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { askBoard } from './board-protocol.ts'
import { execInside } from './exec.ts'
import { makeHostRoot } from './host-root.ts'
import { hostOf, hostPlaces, LabError, makeLab, saveSettings, type Lab } from './lab.ts'
import { programPids } from './programs.ts'
import { makeOutlet, mountShare } from './share.ts'
import { serves, until } from './up.ts'

/**
 * A host joins the running ring: its disk, record, keys and virtual server are made, the ring is published again, and it is switched on with its
 * flag. No other host is touched.
 */
export async function addHost(lab: Lab, name: string, tell: (text: string) => void): Promise<Lab> {
  if (lab.hosts.some(host => host.name === name)) throw new LabError(`${name} is in the ring already`, 2)
  const known = lab.settings.hosts.includes(name)
  const grown = makeLab(lab.directory, { ...lab.settings, hosts: known ? lab.settings.hosts : [...lab.settings.hosts, name], outside: (lab.settings.outside ?? []).filter(each => each !== name) })
  const host = hostOf(grown, name)
  const { base, root } = hostPlaces(grown, name)
  if (!existsSync(root)) {
    tell(`${name}: disk, shared area`)
    await mkdir(base, { recursive: true, mode: 0o755 })
    await makeHostRoot(grown, host)
    await makeOutlet(grown, name)
    await mountShare(grown, name)
  }
  await saveSettings(grown)
  const { writeJoining } = await import('./ring-configuration.ts')
  const { installRingward, placeVirtualServers, publishProgram } = await import('./install-ringward.ts')
  tell(`${name}: record, keys, virtual server`)
  await writeJoining(grown, host)
  await placeVirtualServers(grown)
  await installRingward(grown, host)
  await publishProgram(grown, tell)
  await askBoard(grown, { verb: 'add', host: name })
  await askBoard(grown, { verb: 'power-on', host: name }).catch(() => undefined)
  await until(`the service of ${name}`, () => serves(grown, name))
  return grown
}

/** A host is taken out for good, the way an admin does it: its flag, then \`ringward forget\` on another host. It goes on by itself, unmanaged. */
export async function forgetHost(lab: Lab, name: string, tell: (text: string) => void): Promise<Lab> {
  const host = hostOf(lab, name)
  const other = lab.hosts.find(each => each.name !== name && programPids(lab, each.name, 'agent').length > 0)
  if (!other) throw new LabError('no other host has an agent that could be asked')
  const ringward = async (...words: string[]): Promise<number> => {
    tell(`${other.name}: ringward ${words.join(' ')}`)
    return await execInside(lab, other.name, ['ringward', ...words])
  }
  if (programPids(lab, host.name, 'agent').length > 0 && await ringward('flag', 'off', name, '--wait') !== 0) throw new LabError(`${name} could not be told to leave`)
  if (await ringward('forget', name) !== 0) throw new LabError(`${name} was not forgotten`)
  const shrunk = makeLab(lab.directory, { ...lab.settings, outside: [...lab.settings.outside ?? [], name] })
  await saveSettings(shrunk)
  // The Executers look every 5 s.
  await sleep(6_000)
  return shrunk
}
