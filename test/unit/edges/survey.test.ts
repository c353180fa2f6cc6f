import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SystemClock, type Clock } from '../../../src/edges/clock.ts'
import { idlePercent, parseCpu, parseMemory, parseNetworkBytes, ratedNetwork } from '../../../src/edges/survey/proc-parse.ts'
import { ProcSurvey } from '../../../src/edges/survey/proc-survey.ts'

/** Captured from Linux, cut to what matters. */
const MEMINFO = `MemTotal:       24684092 kB
MemFree:        24230192 kB
MemAvailable:   24300460 kB
Buffers:           43280 kB
`
const STAT = `cpu  3488 0 3151 228173 498 0 61 11 7 0
cpu0 1244 0 1338 114989 21 0 19 4 7 0
cpu1 2244 0 1813 113183 477 0 42 7 0 0
intr 1
ctxt 2
`
const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0: 197659252    6184    0    0    0     0          0         0   547884    3963    0    0    0     0       0          0
 host0:1000       1    0    0    0     0          0         0   2000    3    0    0    0     0       0          0
`

describe('reading /proc', () => {
  it('memory', () => {
    expect(parseMemory(MEMINFO)).toEqual({ total_kb: 24_684_092, available_kb: 24_300_460 })
    expect(() => parseMemory('MemTotal: 1 kB\n')).toThrow('/proc/meminfo has no MemAvailable')
  })

  it('processors, with guest time counted once', () => {
    expect(parseCpu(STAT)).toEqual({ idle: 228_671, total: 235_382, cores: 2 })
    expect(() => parseCpu('intr 1\n')).toThrow('/proc/stat has no cpu line')
  })

  it('network, also where nothing parts name and figure', () => {
    expect(parseNetworkBytes(NET_DEV, 'eth0')).toBe(198_207_136)
    expect(parseNetworkBytes(NET_DEV, 'host0')).toBe(3_000)
    expect(parseNetworkBytes(NET_DEV, 'eth')).toBeUndefined()
  })

  it.each([['1000\n', 256_000], ['10000\n', 2_560_000], ['100\n', 25_600], ['-1\n', 256_000], ['', 256_000], ['what', 256_000], [undefined, 256_000]])(
    'the rated network of speed %j is %d KB/s', (speed, rated) => {
      expect(ratedNetwork(speed)).toBe(rated)
    })

  it('idle share', () => {
    expect(idlePercent({ idle: 100, total: 200, cores: 1 }, { idle: 150, total: 300, cores: 1 })).toBe(50)
    expect(idlePercent({ idle: 100, total: 200, cores: 1 }, { idle: 90, total: 300, cores: 1 })).toBe(0)
    expect(idlePercent({ idle: 100, total: 200, cores: 1 }, { idle: 100, total: 200, cores: 1 })).toBeUndefined()
  })
})

describe('the survey', () => {
  let root = ''
  let now_ms = 1_000
  const clock: Clock = { boot_ms: () => now_ms, wall: () => new Date(0) }

  async function put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  beforeEach(async () => {
    now_ms = 1_000
    root = await mkdtemp(join(tmpdir(), 'ringward-survey-'))
    await put('proc/meminfo', MEMINFO)
    await put('proc/stat', STAT)
    await put('proc/net/dev', NET_DEV)
  })
  afterEach(() => rm(root, { recursive: true }))

  it('tells rates since the former sample', async () => {
    const survey = new ProcSurvey({ clock, device: 'host0', root })
    expect((await survey.sample()).network_kb_per_s).toBe(0)
    now_ms += 2_000
    await put('proc/stat', 'cpu  3588 0 3151 228273 498 0 61 11 7 0\ncpu0 1 0 0 0\n')
    await put('proc/net/dev', 'host0: 401000 1 0 0 0 0 0 0 202000 3 0 0 0 0 0 0\n')
    expect(await survey.sample()).toEqual({ memory_kb: 24_300_460, cpu_idle_percent: 50, network_kb_per_s: 300 })
    now_ms += 10
    await put('proc/net/dev', 'host0: 999999 1 0 0 0 0 0 0 202000 3 0 0 0 0 0 0\n')
    expect((await survey.sample()).network_kb_per_s).toBe(300)
    now_ms += 990
    await put('proc/net/dev', 'host0: 5000 1 0 0 0 0 0 0 5000 3 0 0 0 0 0 0\n')
    expect((await survey.sample()).network_kb_per_s).toBe(10)
  })

  it('tells the capacity, with and without a rated speed', async () => {
    const survey = new ProcSurvey({ clock, device: 'host0', root })
    expect(await survey.capacity()).toEqual({ memory_kb: 24_684_092, cores: 2, network_rated_kb_per_s: 256_000 })
    await put('sys/class/net/host0/speed', '2500\n')
    expect((await survey.capacity()).network_rated_kb_per_s).toBe(640_000)
  })

  it('works on this machine', async () => {
    const survey = new ProcSurvey({ clock: new SystemClock(), device: 'lo' })
    const [capacity, sample] = [await survey.capacity(), await survey.sample()]
    expect(capacity.cores).toBeGreaterThan(0)
    expect(sample.memory_kb).toBeLessThanOrEqual(capacity.memory_kb)
    expect(sample.cpu_idle_percent).toBeLessThanOrEqual(100)
  })
})
