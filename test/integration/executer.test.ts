import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readJson } from '../unit/executer/publication-kit.ts'
import { ExecuterHost, lives } from './executer-host.ts'

/** Only against hanging. */
const LIMIT_MS = 60_000

describe('the Executer on a host', () => {
  let host: ExecuterHost
  beforeEach(async () => {
    host = await ExecuterHost.create()
    await host.publish('1-a')
  }, LIMIT_MS)
  afterEach(() => host.destroy(), LIMIT_MS)

  it('does nothing without the flag; with it fetches, verifies, checks, starts guard and agent, and forwards what they say', async () => {
    host.start()
    await host.said(/management is off/)
    expect(await host.events()).toEqual([])
    await host.flagOn()
    const guard = await host.event(/^guard \d+ started/)
    const agent = await host.event(/^agent \d+ started/)
    const program = join(host.root, 'var', 'program', '1-a')
    expect(guard).toContain(`--host ftp --share ${host.share} --profile default --share-helper ${join(program, 'share-helper.mjs')}`)
    expect(agent).toContain(`--data ${join(host.root, 'var', 'data', '1-a')} --program ${program}`)
    await host.said(/guard: guard says good day/)
    expect(await readJson(join(host.root, 'run', 'executer.json'))).toMatchObject({ schema: 'ringward.executer/1', state: 'running', version: '1-a' })
  }, LIMIT_MS)

  it('restarts a killed child, with nothing left of its family, and leaves the others alone', async () => {
    await host.flagOn()
    host.start()
    const first = await host.family()
    let seen = (await host.events()).length
    process.kill(first.agent, 'SIGKILL')
    const agent = Number((await host.event(/^agent \d+ started/, seen)).split(' ')[1])
    await host.gone(first.agent, first.probe)
    expect(await lives(first.guard)).toBe(true)
    seen = (await host.events()).length
    const watchdog = Number(/watchdog=(\d+)/.exec(await host.event(/^guard/))?.[1])
    process.kill(first.guard, 'SIGKILL')
    await host.event(/^guard \d+ started/, seen)
    // The guard's watchdog is left to stop what the lease no longer covers; the next guard ends it.
    expect([await lives(agent), await lives(watchdog)]).toEqual([true, true])
    await host.said(/agent: it was ended by SIGKILL after \d+ ms; it is started again in 100 ms/)
  }, LIMIT_MS)

  it('stops everything when the flag goes, and starts what is published then when it comes back', async () => {
    await host.flagOn()
    host.start()
    const first = await host.family()
    await host.managementOff()
    await host.gone(first.guard, first.agent, first.probe)
    expect((await host.events()).slice(2)).toEqual([`agent ${first.agent} SIGTERM`, `guard ${first.guard} leave unmanaged`])
    const seen = (await host.events()).length
    await host.publish('2-b')
    await host.flagOn()
    expect(await host.event(/^agent \d+ started/, seen)).toContain(join(host.root, 'var', 'program', '2-b'))
  }, LIMIT_MS)

  it('asks the guard itself to leave when the agent hangs', async () => {
    await host.flagOn()
    host.start()
    const family = await host.family()
    process.kill(family.agent, 'SIGSTOP')
    await host.flagOff()
    await host.gone(family.guard, family.agent, family.probe)
    expect(await host.events()).toContain(`guard ${family.guard} leave unmanaged`)
    await host.said(/agent did not end within 1200 ms of SIGTERM; it is killed[^]*the Executer asked the guard to leave/)
  }, LIMIT_MS)

  it('kills guard and agent when both hang', async () => {
    await host.flagOn()
    host.start()
    const family = await host.family()
    process.kill(family.agent, 'SIGSTOP')
    process.kill(family.guard, 'SIGSTOP')
    await host.flagOff()
    await host.gone(family.guard, family.agent, family.probe)
    await host.said(/the guard did not end .*the VIP goes when its lifetime ends/)
  }, LIMIT_MS)

  it('keeps the last good copy when a published file was tampered with, and when the check refuses the newest', async () => {
    await host.flagOn()
    host.start()
    await host.family()
    await host.managementOff()
    await host.publish('2-b')
    await writeFile(join(host.share, 'program', '2-b', 'agent.mjs'), 'process.exit(0)\n')
    let seen = (await host.events()).length
    await host.flagOn()
    expect(await host.event(/^agent \d+ started/, seen)).toContain('/1-a')
    await host.said(/NEWEST PUBLICATION IS NOT USED: .*agent\.mjs has/)
    await host.managementOff()
    await host.publish('3-c', { 'group.toml': 'wrong = 1\n' })
    seen = (await host.events()).length
    await host.flagOn()
    expect(await host.event(/^agent \d+ started/, seen)).toContain('/1-a')
    await host.said(/NEWEST PUBLICATION IS NOT USED: the configuration of version 3-c is refused[^]*check: group\.toml:1: unknown key "wrong"; remove it/)
    expect(await readJson(join(host.root, 'var', 'current.json'))).toMatchObject({ version: '1-a' })
  }, LIMIT_MS)

  it('starts from the last good copy when the share hangs', async () => {
    await host.flagOn()
    host.start()
    const first = await host.family()
    await host.managementOff()
    await host.gone(first.guard, first.agent)
    await host.hangShare()
    const seen = (await host.events()).length
    await host.flagOn()
    expect(await host.event(/^agent \d+ started/, seen)).toContain('/1-a')
    await host.said(/shared area did not answer within[^]*starting from the last good copy/)
  }, LIMIT_MS)

  it('takes over cleanly from a killed Executer, without asking the share', async () => {
    await host.flagOn()
    host.start()
    const first = await host.family()
    await host.stop('SIGKILL')
    await host.hangShare()
    const seen = (await host.events()).length
    host.start()
    const second = await host.family(seen)
    await host.gone(first.guard, first.agent, first.probe)
    expect([await lives(second.guard), await lives(second.agent)]).toEqual([true, true])
    expect(host.output).toMatch(/going on with version 1-a/)
  }, LIMIT_MS)

  it('ends as for a restart on SIGTERM: the agent at once, the guard without leaving, the flag stays', async () => {
    await host.flagOn()
    host.start()
    const family = await host.family()
    expect(await host.stop('SIGTERM')).toBe(0)
    await host.gone(family.guard, family.agent, family.probe)
    expect((await host.events()).slice(2).sort()).toEqual([`agent ${family.agent} SIGINT`, `guard ${family.guard} SIGTERM`])
    await stat(host.flag)
    expect(await readJson(join(host.root, 'run', 'executer.json'))).toMatchObject({ state: 'running', version: '1-a', children: [] })
  }, LIMIT_MS)

  it('says with file and line what is wrong with host.toml, and starts when it is corrected', async () => {
    const file = join(host.root, 'etc', 'host.toml')
    const good = await readFile(file, 'utf8')
    await writeFile(file, good.replace(/^share = .*$/m, 'share = "here"'))
    await host.flagOn()
    host.start()
    await host.said(/MANAGEMENT IS NOT STARTED .*host\.toml:1: share = "here" is not the absolute path of the shared area/)
    await writeFile(file, good)
    await host.family()
  }, LIMIT_MS)
})

describe('the Executer while the flag stands', () => {
  let host: ExecuterHost
  const data = (host_: ExecuterHost, version: string): string => join(host_.root, 'var', 'data', version)
  beforeEach(async () => {
    host = await ExecuterHost.create()
    await host.publish('1-a')
    await host.flagOn()
    host.start()
    await host.family()
  }, LIMIT_MS)
  afterEach(() => host.destroy(), LIMIT_MS)

  it('hands a newer configuration to the running agent, and to the next one', async () => {
    const first = await host.family()
    await host.publish('2-b', { 'group.toml': 'servers = ["mail", "ftp"]\nprofile = "default"\n' })
    await host.event(/SIGHUP/)
    await host.said(/version 2-b is taken up by the running agent \(was 1-a\)/)
    expect(await host.family()).toEqual(first)
    expect(await readJson(join(host.root, 'var', 'current.json'))).toMatchObject({ version: '2-b' })
    expect(await readJson(join(host.root, 'run', 'executer.json'))).toMatchObject({ version: '1-a', data: '2-b' })
    const seen = (await host.events()).length
    process.kill(first.agent, 'SIGKILL')
    expect(await host.event(/^agent \d+ started/, seen)).toContain(`--data ${data(host, '2-b')} --program ${join(host.root, 'var', 'program', '1-a')}`)
    const again = (await host.events()).length
    await host.stop('SIGKILL')
    host.start()
    expect(await host.event(/^agent \d+ started/, again)).toContain(`--data ${data(host, '2-b')} --program ${join(host.root, 'var', 'program', '1-a')}`)
  }, LIMIT_MS)

  it('refuses a bad one once, says what needs a restart, and says that another program waits', async () => {
    await host.publish('2-b', { 'group.toml': 'wrong = 1\nservers = ["ftp"]\n' })
    await host.said(/A NEWER PUBLICATION IS REFUSED, version 1-a goes on: the configuration of version 2-b is refused/)
    await host.publish('3-c', { 'group.toml': 'interval = "2 s"\nservers = ["ftp"]\n' })
    await host.said(/VERSION 3-c IS NOT TAKEN UP WHILE MANAGEMENT RUNS \(the interval changes\)/)
    expect(await host.events()).not.toContainEqual(expect.stringContaining('SIGHUP'))
    await host.publish('4-d', {}, '// another program\n')
    await host.said(/version 4-d is taken up .*its program is another one and is started when the flag is set anew/)
    await host.event(/SIGHUP/)
  }, LIMIT_MS)

  it('ends management when this host was taken out, waits, also without the share, and begins when it is in again', async () => {
    const first = await host.family()
    await host.publish('2-b', { 'group.toml': 'servers = ["mail"]\nprofile = "default"\n' })
    await host.said(/THIS HOST IS NOT IN THE PUBLISHED RING ANY MORE[^]*management is stopped/)
    await host.gone(first.guard, first.agent, first.probe)
    expect(await host.events()).toContain(`guard ${first.guard} leave unmanaged`)
    await host.said(/MANAGEMENT IS NOT STARTED .*this host is not in the published ring \(version 2-b\)/)
    await stat(host.flag)
    await host.stop('SIGKILL')
    await host.hangShare()
    const seen = (await host.events()).length
    host.start()
    await host.said(/not in the published ring \(version 2-b\)[^]*not in the published ring \(version 2-b\)/)
    expect((await host.events()).slice(seen)).toEqual([])
    await host.stop('SIGKILL')
    await host.install()
    await host.publish('3-c')
    host.start()
    expect(await host.event(/^agent \d+ started/, seen)).toContain(data(host, '3-c'))
  }, LIMIT_MS)

  it('is quiet while the share hangs', async () => {
    const before = host.output.length
    await host.stop('SIGKILL')
    await host.hangShare()
    host.start()
    await host.family((await host.events()).length)
    await new Promise(resolve => setTimeout(resolve, 12_000))
    expect(host.output.slice(before)).not.toMatch(/REFUSED|did not answer/)
  }, LIMIT_MS)
})
