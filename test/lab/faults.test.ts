import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { StatusDocument } from '../../src/control/documents.ts'
import { askBoard } from '../../scripts/laboratory/board-protocol.ts'
import { takeDown } from '../../scripts/laboratory/down.ts'
import { runInside, runInsideOrFail } from '../../scripts/laboratory/exec.ts'
import { fault } from '../../scripts/laboratory/faults.ts'
import { hostOf, type Lab } from '../../scripts/laboratory/lab.ts'
import { programPids } from '../../scripts/laboratory/programs.ts'
import { untilWhole } from '../../scripts/laboratory/ring-view.ts'
import { readScenario } from '../../scripts/laboratory/scenario-file.ts'
import { runScenario } from '../../scripts/laboratory/scenario-run.ts'
import { renderScenario } from '../../scripts/laboratory/scenario-report.ts'
import { bringUp } from '../../scripts/laboratory/up.ts'

/** Each fault of the lab does what it says, and `heal` undoes it; then two scenarios are played with them on the same hosts; all of them are for `scripts/lab scenario --all`. */
const DIRECTORY = `/var/lib/rl-faults-${process.pid}`
const HOSTS = ['mail', 'login', 'ftp', 'web1']
const LIMIT_MS = 30_000

let lab: Lab

beforeAll(async () => {
  lab = await bringUp({ directory: DIRECTORY, tell: () => undefined, hosts: HOSTS, interval: '1s', standby: 'saved', post_delay_ms: 0, ringward: true, project: process.cwd() })
  expect(await untilWhole(lab, 60_000)).toEqual([])
}, 280_000)

afterAll(async () => {
  await takeDown(DIRECTORY)
  await rm(DIRECTORY, { recursive: true, force: true })
})

const status = async (host: string, ...command: string[]): Promise<number> => (await runInside(lab, host, command)).status
/** Whether a service answers, asked from the switch. */
const serves = (host: string): Promise<boolean> => askBoard(lab, { verb: 'check-service', host }).then(() => true, () => false)
const hears = async (from: string, to: string): Promise<boolean> => await status(from, 'ping', '-q', '-c', '1', '-W', '1', hostOf(lab, to).address) === 0
const DATAGRAM_PORT = '7799'
const LISTEN = `const s = require('node:dgram').createSocket('udp4'); s.on('message', () => process.exit(0)); s.bind(${DATAGRAM_PORT}); setTimeout(() => process.exit(1), 2500)`
const SEND = `const s = require('node:dgram').createSocket('udp4'); setInterval(() => s.send('.', ${DATAGRAM_PORT}, process.argv[1]), 100); setTimeout(() => process.exit(0), 2500)`
/** Whether anything that one host sends arrives at the other, answered or not. The ring has no datagrams of its own. */
const arrives = async (from: string, to: string): Promise<boolean> => {
  const [listened] = await Promise.all([status(to, 'node', '-e', LISTEN), status(from, 'node', '-e', SEND, hostOf(lab, to).address)])
  return listened === 0
}
const shareAnswers = async (host: string): Promise<boolean> => await status(host, 'timeout', '-s', 'KILL', '1', 'ls', '/srv/ringward/leases') === 0
/** A block is written and taken away again. */
const shareTakes = async (host: string): Promise<boolean> => await status(host, 'timeout', '-s', 'KILL', '2', 'sh', '-c', 'dd if=/dev/zero of="$1" bs=8192 count=1 conv=fsync 2>/dev/null; s=$?; rm -f "$1"; exit $s', 'sh', `/srv/ringward/written-by-${host}`) === 0
const power = async (host: string): Promise<string | undefined> => (await askBoard(lab, { verb: 'state' })).hosts?.[host]?.power
const wallClock = async (host: string): Promise<number> => Date.parse((JSON.parse((await runInside(lab, host, ['ringward', 'status', '--json'])).stdout) as StatusDocument).at)

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end_ms = performance.now() + LIMIT_MS
  while (!await holds()) {
    if (performance.now() > end_ms) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await sleep(50)
  }
}

describe('each fault, and its end', () => {
  // The ring watches and does nothing: what is seen is the fault alone.
  beforeAll(async () => { await runInsideOrFail(lab, 'mail', ['ringward', 'hold', 'on', '--wait', '10']) })
  afterEach(async () => {
    await fault(lab, 'heal', ['all'])
    for (const host of HOSTS) await until(`${host} serves`, () => serves(host))
  })
  afterAll(async () => {
    await runInsideOrFail(lab, 'mail', ['ringward', 'hold', 'off', '--wait', '10'])
    expect(await untilWhole(lab, 120_000)).toEqual([])
  })

  test('freeze: nothing in the host answers, until its time is over or it is healed', async () => {
    // Longer than a question waits, else it is answered at the thaw.
    await fault(lab, 'freeze', ['web1', '2'])
    expect(await serves('web1')).toBe(false)
    await until('web1 thaws', () => serves('web1'))
    await fault(lab, 'freeze', ['web1', '600'])
    expect(await serves('web1')).toBe(false)
    await fault(lab, 'heal', ['web1'])
    await until('web1 is thawed', () => serves('web1'))
  })

  test('cut: two hosts do not hear each other, anybody else hears both', async () => {
    await fault(lab, 'cut', ['ftp', 'web1'])
    expect([await hears('ftp', 'web1'), await hears('web1', 'ftp'), await hears('login', 'ftp'), await hears('web1', 'login')]).toEqual([false, false, true, true])
    await fault(lab, 'heal', ['ftp'])
    expect(await hears('ftp', 'web1')).toBe(true)
  })

  test('cut --one-way: what the first sends does not arrive, what the second sends does', async () => {
    expect(await hears('ftp', 'web1')).toBe(true)
    await fault(lab, 'cut', ['ftp', 'web1', '--one-way'])
    expect([await hears('web1', 'ftp'), await hears('ftp', 'web1')]).toEqual([false, false])
    expect([await arrives('web1', 'ftp'), await arrives('ftp', 'web1')]).toEqual([true, false])
  })

  test('isolate: a host hears nobody; healed by its name alone', async () => {
    await fault(lab, 'isolate', ['login'])
    await fault(lab, 'isolate', ['ftp'])
    expect([await hears('login', 'web1'), await hears('web1', 'login'), await serves('login'), await serves('web1')]).toEqual([false, false, false, true])
    await fault(lab, 'heal', ['login'])
    expect([await hears('login', 'web1'), await hears('ftp', 'web1')]).toEqual([true, false])
  })

  test('split: each half hears itself only', async () => {
    await fault(lab, 'split', ['mail,login|ftp,web1'])
    expect([await hears('mail', 'login'), await hears('ftp', 'web1'), await hears('mail', 'ftp'), await hears('web1', 'login')]).toEqual([true, true, false, false])
    await fault(lab, 'heal', [])
    expect([await hears('mail', 'ftp'), await hears('web1', 'login')]).toEqual([true, true])
  })

  test('lossy: of what a host sends so much is lost and the rest comes late, what it receives does not', async () => {
    const delay_ms = async (to: string): Promise<number> => Number(/= [\d.]+\/([\d.]+)\//.exec((await runInside(lab, 'web1', ['ping', '-q', '-c', '20', '-i', '0.1', hostOf(lab, to).address])).stdout)?.[1])
    await fault(lab, 'lossy', ['ftp', '100'])
    expect([await arrives('web1', 'ftp'), await arrives('ftp', 'web1')]).toEqual([true, false])
    await fault(lab, 'lossy', ['ftp', '0', '200ms'])
    expect([await serves('ftp'), await delay_ms('ftp') > 40]).toEqual([true, true])
    await fault(lab, 'heal', ['ftp'])
    expect([await serves('ftp'), await delay_ms('ftp') < 40]).toEqual([true, true])
  })

  test('lose-announcements: who remembers another giver of the VIP goes on doing so', async () => {
    const { vip, mac } = hostOf(lab, 'ftp')
    const learns = async (): Promise<boolean> => {
      await runInsideOrFail(lab, 'web1', ['ip', 'neigh', 'replace', vip, 'lladdr', '02:00:00:00:00:01', 'dev', 'br0', 'nud', 'stale'])
      await runInsideOrFail(lab, 'ftp', ['arping', '-q', '-U', '-c', '1', '-I', 'br0', vip])
      return (await runInsideOrFail(lab, 'web1', ['ip', 'neigh', 'show', 'to', vip])).includes(mac)
    }
    await fault(lab, 'lose-announcements', ['ftp'])
    expect(await learns()).toBe(false)
    await fault(lab, 'heal', ['ftp'])
    expect(await learns()).toBe(true)
  })

  test.each([['share-hang', ['ftp']], ['share-cut', ['ftp']]])('%s: the shared area of one host does not answer', async (verb, args) => {
    await fault(lab, verb, args)
    expect([await shareAnswers('ftp'), await shareAnswers('web1')]).toEqual([false, true])
    await fault(lab, 'heal', ['ftp'])
    expect(await shareAnswers('ftp')).toBe(true)
  })

  test('share-off: it answers nowhere', async () => {
    await fault(lab, 'share-off', [])
    expect(await Promise.all(HOSTS.map(shareAnswers))).toEqual([false, false, false, false])
    await fault(lab, 'heal', ['all'])
    expect(await Promise.all(HOSTS.map(shareAnswers))).toEqual([true, true, true, true])
  })

  test('share-read-only: one host reads and cannot write', async () => {
    await fault(lab, 'share-read-only', ['ftp'])
    expect([await shareAnswers('ftp'), await shareTakes('ftp'), await shareTakes('web1')]).toEqual([true, false, true])
    await fault(lab, 'heal', ['ftp'])
    expect(await shareTakes('ftp')).toBe(true)
  })

  test('share-full: nothing more can be written, by nobody', async () => {
    await fault(lab, 'share-full', [])
    expect(await Promise.all(HOSTS.map(shareTakes))).toEqual([false, false, false, false])
    await fault(lab, 'heal', ['all'])
    expect(await Promise.all(HOSTS.map(shareTakes))).toEqual([true, true, true, true])
  })

  test('mute-daemon: connections are accepted and nothing is said', async () => {
    await fault(lab, 'mute-daemon', ['ftp', 'vsftpd'])
    expect([await serves('ftp'), await status('web1', 'bash', '-c', `exec 3<>/dev/tcp/${hostOf(lab, 'ftp').address}/21`)]).toEqual([false, 0])
    await fault(lab, 'heal', ['ftp'])
    expect(await serves('ftp')).toBe(true)
  })

  test('break-daemon: it cannot be started', async () => {
    await fault(lab, 'break-daemon', ['ftp', 'vsftpd'])
    expect([await serves('ftp'), await status('ftp', 'systemctl', 'start', 'vsftpd')]).toEqual([false, 1])
    await fault(lab, 'heal', ['ftp'])
    await runInsideOrFail(lab, 'ftp', ['systemctl', 'start', 'vsftpd'])
    await until('ftp serves', () => serves('ftp'))
  })

  test('freeze-agent: the agent alone stands still; kill-agent: another one comes', async () => {
    const state = async (): Promise<string> => /^State:\t(\w)/m.exec(await readFile(`/proc/${programPids(lab, 'login', 'agent')[0]}/status`, 'utf8'))?.[1] ?? ''
    await fault(lab, 'freeze-agent', ['login', '600'])
    expect([await state(), await serves('login')]).toEqual(['T', true])
    await fault(lab, 'heal', ['login'])
    expect(await state()).not.toBe('T')
    const before = programPids(lab, 'login', 'agent')
    await fault(lab, 'kill-agent', ['login'])
    await until('another agent', () => Promise.resolve(programPids(lab, 'login', 'agent').some(pid => !before.includes(pid))))
  })

  test('vm-fail: no virtual server can start', async () => {
    const starts = (): Promise<number> => status('ftp', 'qemu-system-x86_64', '--version')
    await fault(lab, 'vm-fail', ['ftp'])
    await fault(lab, 'vm-fail', ['ftp'])
    expect([await starts(), await status('web1', 'qemu-system-x86_64', '--version')]).toEqual([1, 0])
    await fault(lab, 'heal', ['ftp'])
    expect(await starts()).toBe(0)
  })

  test.each(['missing', 'damaged'])('spoil-state %s: the saved memory of a virtual server is of no use', async how => {
    const sizes = async (): Promise<string> => (await runInsideOrFail(lab, 'mail', ['sh', '-c', 'cd /srv/ringward/vm/ftp && stat -c "%n %s" *.state 2>/dev/null || echo none'])).trim()
    const before = await sizes()
    await fault(lab, 'spoil-state', ['ftp', how])
    const [name, size] = before.split(' ')
    expect(await sizes()).toBe(how === 'missing' ? 'none' : `${name} ${Math.floor(Number(size) / 2)}`)
    await fault(lab, 'heal', ['ftp'])
    expect(await sizes()).toBe(before)
  })

  test('wrong-key: the others and its agent do not let each other in', async () => {
    const said = async (words: string): Promise<number> => Number((await runInside(lab, 'mail', ['sh', '-c', 'cat /var/log/ringward/*.log | grep -c -- "$1"', 'sh', words])).stdout)
    const before = await said('web1_is_reachable')
    await fault(lab, 'wrong-key', ['web1'])
    // Of two hosts one dials, by their identities; the other one says that it let nobody in.
    await until('somebody refuses', async () => (await Promise.all(HOSTS.map(host => status(host, 'sh', '-c', 'grep -q Peer_refused /var/log/ringward/*.log')))).includes(0))
    expect(await said('web1_is_reachable')).toBe(before)
    await fault(lab, 'heal', ['web1'])
    await until('mail reaches web1', async () => await said('web1_is_reachable') > before)
  })

  test.each(['+3600', '-3600'])('clock %s: the wall clock of one host is wrong by so much', async seconds => {
    // Asking takes a second or two.
    const isWrongBy = async (host: string, wrong_s: number): Promise<boolean> => Math.abs(await wallClock(host) - Date.now() - wrong_s * 1_000) < 30_000
    await fault(lab, 'clock', ['ftp', seconds])
    expect([await isWrongBy('ftp', Number(seconds)), await isWrongBy('web1', 0)]).toEqual([true, true])
    await fault(lab, 'heal', ['ftp'])
    expect(await isWrongBy('ftp', 0)).toBe(true)
  })

  test('load: a processor, memory and the network are busy', async () => {
    const loads = [['cpu', '50'], ['memory', '64'], ['network', '1']] as const
    for (const load of loads) await fault(lab, 'load', ['web1', ...load])
    const active = async (): Promise<number[]> => await Promise.all(loads.map(([kind]) => status('web1', 'systemctl', '-q', 'is-active', `lab-load-${kind}.service`)))
    expect(await active()).toEqual([0, 0, 0])
    await fault(lab, 'load', ['web1', 'cpu', '0'])
    expect((await active())[0]).not.toBe(0)
    await fault(lab, 'heal', ['web1'])
    expect((await active()).includes(0)).toBe(false)
  })

  test('stress: every processor is busy in the host', async () => {
    const busy = (): Promise<number> => status('web1', 'pgrep', '-x', 'stress-ng-cpu')
    await fault(lab, 'stress', ['web1'])
    await until('stress-ng works', async () => await busy() === 0)
    await fault(lab, 'heal', ['web1'])
    expect(await busy()).not.toBe(0)
  })

  test('publish: hosts fetch another program, and run their own until their flag is set anew', async () => {
    const current = async (): Promise<{ version: string }> => JSON.parse(await runInsideOrFail(lab, 'web1', ['cat', '/var/lib/ringward/current.json'])) as { version: string }
    const { version } = await current()
    await fault(lab, 'publish', [])
    await until('web1 has fetched it', async () => (await current()).version !== version)
  })

  test('no-wake: a magic packet does not switch the host on', async () => {
    await fault(lab, 'no-wake', ['web1'])
    await fault(lab, 'power-off', ['web1'])
    await fault(lab, 'wake', ['web1'])
    await sleep(500)
    expect(await power('web1')).toBe('off')
    await fault(lab, 'heal', ['web1'])
    await fault(lab, 'wake', ['web1'])
    await until('web1 has power', async () => await power('web1') === 'on')
  })
})

test.each(['split-share-one-side', 'frozen-target-thaws'])('the scenario %s goes as it states', async name => {
  const run = await runScenario(lab, await readScenario(name), { every_ms: 200, rest_ms: 9_000, story: false })
  console.log(renderScenario(name, 1, run))
  expect(run.unexpected).toEqual([])
})
