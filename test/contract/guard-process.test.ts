import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProfileName } from '../../src/core/inventory.ts'
import { PROFILES } from '../../src/core/profile.ts'
import { decodeLease } from '../../src/edges/share/share-records.ts'
import { GuardClient } from '../../src/guard/guard-client.ts'
import type { GuardNotice, GuardStatus } from '../../src/guard/guard-protocol.ts'
import { isAlive, processStart, type ProcessMark } from '../../src/guard/processes.ts'
import { bundle } from './fixtures/bundle.ts'

// The real guard in a network namespace of its own: real addresses, real lifetimes, real signals.
const NAMESPACE = `ringward-guard-${process.pid}`
const VIP = '10.77.0.5'
const LIMIT_MS = 20_000

function namespacesWork(): boolean {
  try {
    execFileSync('ip', ['netns', 'add', `${NAMESPACE}-try`], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'del', `${NAMESPACE}-try`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const inside = (...args: string[]): string => execFileSync('ip', ['netns', 'exec', NAMESPACE, ...args], { encoding: 'utf8' })

function hasAddress(): boolean {
  return inside('ip', '-j', 'addr', 'show', 'dev', 'host0').includes(`"${VIP}"`)
}

async function until(what: string, condition: () => boolean | undefined): Promise<void> {
  const end = performance.now() + LIMIT_MS
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`)
    await pause(20)
  }
}

describe.runIf(namespacesWork())('the guard process', () => {
  let guardBundle: Awaited<ReturnType<typeof bundle>>
  let helperBundle: Awaited<ReturnType<typeof bundle>>
  let folder: string
  let guard: ChildProcess | undefined
  let client: GuardClient
  let status: GuardStatus | undefined
  let notices: GuardNotice[]
  let started: ChildProcess[]
  /** Helpers that were stopped: they outlive a guard that is killed. */
  let stopped: ProcessMark[]

  beforeAll(async () => {
    guardBundle = await bundle('agent/guard.ts', 'guard.mjs')
    helperBundle = await bundle('agent/share-helper.ts', 'share-helper.mjs')
  })
  afterAll(async () => {
    await guardBundle.remove()
    await helperBundle.remove()
  })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringward-guard-'))
    await writeFile(join(folder, 'group.toml'), '')
    execFileSync('ip', ['netns', 'add', NAMESPACE])
    inside('ip', 'link', 'add', 'host0', 'type', 'veth', 'peer', 'name', 'host1')
    inside('ip', 'link', 'set', 'host0', 'up')
    inside('ip', 'link', 'set', 'host1', 'up')
    status = undefined
    notices = []
    started = []
    stopped = []
    client = new GuardClient({
      path: join(folder, 'run/guard.sock'), role: 'agent',
      onNotice: notice => {
        if (notice.notice === 'lease') status = notice.status
        else notices.push(notice)
      },
    })
  })

  afterEach(async () => {
    client.close()
    for (const child of started) child.kill('SIGKILL')
    for (const helper of stopped) if (isAlive(helper)) process.kill(helper.pid, 'SIGKILL')
    const mark = watchdogPid()
    if (mark !== undefined) process.kill(mark, 'SIGKILL')
    execFileSync('ip', ['netns', 'del', NAMESPACE])
    await rm(folder, { recursive: true, force: true })
  })

  function startGuard(profile: ProfileName = 'default'): ChildProcess {
    const args = ['--host', 'ftp', '--share', folder, '--profile', profile, '--share-helper', helperBundle.path, '--run', join(folder, 'run'), '--var', join(folder, 'var')]
    const child = spawn('ip', ['netns', 'exec', NAMESPACE, process.execPath, guardBundle.path, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    started.push(child)
    guard = child
    return child
  }

  function watchdogPid(): number | undefined {
    try {
      const { watchdog } = JSON.parse(readFileSync(join(folder, 'run/guard-state.json'), 'utf8')) as { watchdog: ProcessMark }
      return isAlive(watchdog) ? watchdog.pid : undefined
    } catch {
      return undefined
    }
  }

  /** The guard's share helper: its child that is not the watchdog. */
  function helperPid(): number {
    const children = execFileSync('ps', ['--ppid', String(guard?.pid), '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
    return Number(children.find(line => line.includes('share-helper'))?.trim().split(' ')[0])
  }

  function stopHelper(): void {
    const pid = helperPid()
    stopped.push({ pid, pid_start: processStart(pid)! })
    process.kill(pid, 'SIGSTOP')
  }

  async function leased(generation = 0): Promise<GuardStatus> {
    await until('a good lease', () => status?.good === true && status.generation > generation)
    return status!
  }

  async function armed(profile: ProfileName = 'default'): Promise<GuardStatus> {
    startGuard(profile)
    const { generation } = await leased()
    const reply = await client.request({ verb: 'arm', generation, margin_ms: 100, charge: { function: 'ftp', epoch: 1, kind: 'native', vip: VIP, prefix: 24, device: 'host0' } }, LIMIT_MS)
    expect(reply).toMatchObject({ ok: true })
    expect(hasAddress()).toBe(true)
    return status!
  }

  async function leaseOnShare(): Promise<ReturnType<typeof decodeLease>> {
    return decodeLease(await readFile(join(folder, 'leases/ftp')))
  }

  /** Milliseconds from now until the address is gone. */
  async function gone(): Promise<number> {
    const from = performance.now()
    await until('the address is gone', () => !hasAddress())
    return performance.now() - from
  }

  test('the address stays while the lease is renewed, and goes when disarmed', async () => {
    await armed()
    expect((await stat(join(folder, 'run/guard.sock'))).mode & 0o777).toBe(0o600)
    for (let looks = 0; looks < 60; looks++) {
      expect(hasAddress()).toBe(true)
      await pause(50)
    }
    expect(notices).toEqual([])
    expect(await leaseOnShare()).toMatchObject({ host: 'ftp', standing: 'member', generation: status?.generation })
    expect(await client.request({ verb: 'disarm', function: 'ftp' }, LIMIT_MS)).toMatchObject({ ok: true })
    expect(hasAddress()).toBe(false)
    expect(await client.request({ verb: 'bar', function: 'ftp', epoch: 1 }, LIMIT_MS)).toMatchObject({ ok: true })
    const again = await client.request({ verb: 'arm', generation: status!.generation, margin_ms: 100, charge: { function: 'ftp', epoch: 1, kind: 'native', vip: VIP, prefix: 24, device: 'host0' } }, LIMIT_MS)
    expect(again).toMatchObject({ ok: false, reason: expect.stringMatching(/barred/) })
  }, LIMIT_MS)

  test('kill -9 and a restart: same generation, same charges, the address never goes', async () => {
    const { generation } = await armed()
    const former = guard!
    former.kill('SIGKILL')
    await pause(200)
    startGuard()
    status = undefined
    for (let looks = 0; looks < 60; looks++) {
      expect(hasAddress()).toBe(true)
      await pause(50)
    }
    expect(await leased()).toMatchObject({ generation, charges: [{ function: 'ftp' }] })
    expect(notices.filter(({ notice }) => notice === 'lost')).toEqual([])
  }, LIMIT_MS)

  test('kill -9 of the share helper costs no lease; kill -9 of the guard for good costs the address', async () => {
    await armed()
    const former = helperPid()
    process.kill(former, 'SIGKILL')
    await until('another helper runs', () => helperPid() > 0 && helperPid() !== former)
    const { sequence } = status!
    await until('the lease is renewed again', () => (status?.sequence ?? 0) > sequence + 1)
    expect(notices).toEqual([])
    guard!.kill('SIGKILL')
    await gone()
    await until('the orphaned watchdog ended', () => watchdogPid() === undefined)
  }, LIMIT_MS)

  test('an address removed by hand comes back with a notice', async () => {
    await armed()
    inside('ip', 'addr', 'del', `${VIP}/24`, 'dev', 'host0')
    await until('the address is back', hasAddress)
    // The notice is written after the address is back.
    await until('a notice of it', () => notices.length > 0)
    expect(notices).toMatchObject([{ notice: 'problem', text: expect.stringMatching(/is not there/) }])
  }, LIMIT_MS)

  test.each(['default', 'fast'] as const)('profile %s: a stopped guard loses the address by itself, before D_gone', async profile => {
    const { generation } = await armed(profile)
    guard!.kill('SIGSTOP')
    const took_ms = await gone()
    console.log(`profile ${profile}: a stopped guard's address was gone after ${Math.round(took_ms)} ms (D_gone ${PROFILES[profile].gone_ms})`)
    guard!.kill('SIGCONT')
    await until('lost', () => notices.some(notice => notice.notice === 'lost' && notice.stopped.includes('ftp')))
    expect((await leased(generation)).charges).toEqual([])
  }, LIMIT_MS)

  test('a stopped guard whose watchdog is dead: the kernel ends the address', async () => {
    await armed()
    guard!.kill('SIGSTOP')
    process.kill(watchdogPid()!, 'SIGKILL')
    console.log(`the kernel ended the address after ${Math.round(await gone())} ms`)
  }, LIMIT_MS)

  test('a watchdog that stood still ends nothing that was prolonged meanwhile', async () => {
    const { generation } = await armed()
    const vm = spawn('sleep', ['600'])
    started.push(vm)
    const charge = { function: 'web1', epoch: 4, kind: 'virtual', virtual_server: 'vweb1', pid: vm.pid!, pid_start: processStart(vm.pid!)! } as const
    expect(await client.request({ verb: 'arm', generation, margin_ms: 0, charge }, LIMIT_MS)).toMatchObject({ ok: true })
    const watchdog = watchdogPid()!
    process.kill(watchdog, 'SIGSTOP')
    await pause(PROFILES.default.gone_ms + 1_000)
    process.kill(watchdog, 'SIGCONT')
    await pause(1_000)
    expect([vm.signalCode, watchdogPid(), notices]).toEqual([null, watchdog, []])
  }, LIMIT_MS)

  test('the share hangs: lease lost, address and virtual server gone, next generation after it answers again', async () => {
    const { generation } = await armed()
    const vm = spawn('sleep', ['600'])
    started.push(vm)
    const charge = { function: 'web1', epoch: 4, kind: 'virtual', virtual_server: 'vweb1', pid: vm.pid!, pid_start: processStart(vm.pid!)! } as const
    expect(await client.request({ verb: 'arm', generation, margin_ms: 0, charge: { ...charge, pid_start: '1' } }, LIMIT_MS)).toMatchObject({ ok: false })
    expect(await client.request({ verb: 'arm', generation, margin_ms: 0, charge }, LIMIT_MS)).toMatchObject({ ok: true })
    stopHelper()
    await until('lost', () => notices.some(({ notice }) => notice === 'lost'))
    await until('the virtual server ended', () => vm.signalCode === 'SIGKILL')
    await gone()
    expect(notices.find(({ notice }) => notice === 'lost')).toEqual({ notice: 'lost', generation: generation + 1, stopped: ['ftp', 'web1'] })
    const next = await leased(generation)
    expect(next.charges).toEqual([])
    // A first record of the next generation that hung for D_stop and more begins no lease: then it is the one after it.
    expect(next.generation).toBeGreaterThan(generation)
    expect(await leaseOnShare()).toMatchObject({ generation: next.generation })
  }, LIMIT_MS)

  test('bar ends a virtual server for good', async () => {
    const { generation } = await armed()
    const vm = spawn('sleep', ['600'])
    started.push(vm)
    const charge = { function: 'web1', epoch: 4, kind: 'virtual', virtual_server: 'vweb1', pid: vm.pid!, pid_start: processStart(vm.pid!)! } as const
    expect(await client.request({ verb: 'arm', generation, margin_ms: 0, charge }, LIMIT_MS)).toMatchObject({ ok: true })
    // What is out of date ends nothing, and does not say that it did.
    expect(await client.request({ verb: 'bar', function: 'web1', epoch: 3 }, LIMIT_MS)).toMatchObject({ ok: false, reason: 'epoch 4 of web1 is in charge, a newer one' })
    expect(isAlive(charge)).toBe(true)
    const hand = new GuardClient({ path: join(folder, 'run/guard.sock'), role: 'hand' })
    expect(await hand.request({ verb: 'bar', function: 'web1', epoch: 4 }, LIMIT_MS)).toMatchObject({ ok: true })
    expect(isAlive(charge)).toBe(false)
    await until('the agent hears of it', () => notices.some(({ notice }) => notice === 'barred'))
    expect(notices).toContainEqual({ notice: 'barred', function: 'web1', epoch: 4 })
    hand.close()
    await expect(hand.request({ verb: 'status' }, LIMIT_MS)).rejects.toMatchObject({ code: 'GUARD_UNREACHABLE' })
    expect((await client.request({ verb: 'status' }, LIMIT_MS)).status).toMatchObject({ charges: [{ function: 'ftp' }], barred: { web1: 4 } })
  }, LIMIT_MS)

  test('a ride carries the native function over the hang of the share', async () => {
    const { generation } = await armed()
    await client.request({ verb: 'electorate', names: ['mail'] }, LIMIT_MS)
    // Notices of the lease are left out of `notices`: the guard is asked until a record that lists somebody is acknowledged.
    for (let looks = 0; (await client.request({ verb: 'status' }, LIMIT_MS)).status?.electorate === undefined && looks < 100; looks++) await pause(50)
    stopHelper()
    let riding = true
    const rides = (async () => {
      while (riding) {
        await client.request({ verb: 'ride', until_ms: Number(process.hrtime.bigint() / 1_000_000n) + 1_500, promised: ['mail', 'web1'] }, LIMIT_MS)
        await pause(400)
      }
    })()
    await until('lost', () => notices.some(({ notice }) => notice === 'lost'))
    for (let looks = 0; looks < 40; looks++) {
      expect(hasAddress()).toBe(true)
      await pause(50)
    }
    riding = false
    await rides
    expect(notices.find(({ notice }) => notice === 'lost')).toEqual({ notice: 'lost', generation: generation + 1, stopped: [] })
    await gone()
  }, LIMIT_MS)

  test.each(['unmanaged', 'goodbye'] as const)('leave %s: last record, the address stays or goes, exit 0; the generation grows at the next start, whatever the disk has forgotten', async standing => {
    const { generation } = await armed()
    const child = guard!
    const ended = new Promise(resolve => child.once('exit', resolve))
    expect(await client.request({ verb: 'leave', standing }, LIMIT_MS)).toEqual({ reply: expect.any(Number), ok: true })
    expect(await ended).toBe(0)
    expect(await leaseOnShare()).toMatchObject({ standing, generation })
    await pause(3_500)
    expect(hasAddress()).toBe(standing === 'unmanaged')
    await rm(join(folder, 'var'), { recursive: true })
    status = undefined
    startGuard()
    const next = await leased()
    expect(next.generation).toBeGreaterThan(generation)
    expect(await leaseOnShare()).toMatchObject({ standing: 'member', generation: next.generation })
  }, LIMIT_MS)

  test('leave unmanaged with a hung share: the address stays, exit 0 within 2 s', async () => {
    await armed()
    const child = guard!
    const ended = new Promise(resolve => child.once('exit', resolve))
    stopHelper()
    expect(await client.request({ verb: 'leave', standing: 'unmanaged' }, 2_000)).toMatchObject({ ok: true, reason: expect.stringMatching(/did not answer/) })
    expect(await ended).toBe(0)
    await pause(3_000)
    expect(hasAddress()).toBe(true)
  }, LIMIT_MS)

  test('a second guard does not start beside the first; SIGTERM keeps the state for the next', async () => {
    const { generation } = await armed()
    const first = guard!
    const second = startGuard()
    expect(await new Promise(resolve => second.once('exit', resolve))).toBe(1)
    const ended = new Promise(resolve => first.once('exit', resolve))
    first.kill('SIGTERM')
    expect(await ended).toBe(0)
    status = undefined
    startGuard()
    expect(await leased()).toMatchObject({ generation, charges: [{ function: 'ftp' }] })
    expect(hasAddress()).toBe(true)
  }, LIMIT_MS)
})
