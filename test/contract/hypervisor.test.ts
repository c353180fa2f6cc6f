import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { memoryWorld, RealWorld, SERVER, type RealKind, type World } from './support/hypervisor-worlds.ts'

/** Downloads and builds the guest the first time; afterwards some seconds. Only against hanging. */
const SETUP_LIMIT_MS = 300_000
const TEST_LIMIT_MS = 60_000
const VIP = '10.99.0.50'
const PREFIX = 24
const options = { signal: new AbortController().signal }

async function until(question: () => Promise<boolean>): Promise<void> {
  while (!await question()) await sleep(10)
}

/** Opened once each: saving the state boots a guest. */
const real = new Map<RealKind, Promise<RealWorld>>()
function realWorld(kind: RealKind): Promise<RealWorld> {
  const world = real.get(kind) ?? RealWorld.open(kind)
  real.set(kind, world)
  return world
}
afterAll(async () => { await Promise.all([...real.values()].map(async world => (await world).destroy())) })

describe.each([['QEMU', () => realWorld('QEMU')], ['libvirt', () => realWorld('libvirt')], ['memory', memoryWorld]] as const)('hypervisor: %s', (kind, makeWorld) => {
  let world: World
  beforeAll(async () => { world = await makeWorld() }, SETUP_LIMIT_MS)
  afterEach(() => world.hypervisor.stop(SERVER.name, options))

  test('starts from the saved state, serves, takes and gives up the VIP', { timeout: TEST_LIMIT_MS }, async () => {
    const { hypervisor } = world
    const prepared = await hypervisor.prepare(SERVER, options)
    expect(prepared).toMatchObject({ name: SERVER.name, state: 'paused', from: 'saved' })
    expect(prepared.warning).toBeUndefined()
    expect(await world.serves(SERVER.address)).toBe(false)
    await hypervisor.run(SERVER.name, options)
    await until(() => world.serves(SERVER.address))
    expect(await world.serves(VIP)).toBe(false)
    await hypervisor.addAddress(SERVER.name, VIP, PREFIX, options)
    await until(() => world.serves(VIP))
    await hypervisor.addAddress(SERVER.name, VIP, PREFIX, options)
    await hypervisor.announce(SERVER.name, VIP, options)
    await hypervisor.dropAddress(SERVER.name, VIP, PREFIX, options)
    await hypervisor.dropAddress(SERVER.name, VIP, PREFIX, options)
    expect(await world.serves(VIP)).toBe(false)
    expect(await world.serves(SERVER.address)).toBe(true)
  })

  test('runs ahead of a hand-over with the VIP, and nobody hears of it before its turn', { timeout: TEST_LIMIT_MS }, async () => {
    const { hypervisor } = world
    await hypervisor.prepare(SERVER, options)
    let touched = false
    await hypervisor.warm(SERVER, VIP, PREFIX, () => { touched = true; return Promise.resolve() }, options)
    expect(touched).toBe(true)
    expect(await hypervisor.list(options)).toMatchObject([{ name: SERVER.name, state: 'running' }])
    expect(await world.serves(VIP)).toBe(false)
    expect(await world.serves(SERVER.address)).toBe(false)
    await hypervisor.run(SERVER.name, options)
    await hypervisor.announce(SERVER.name, VIP, options)
    await until(() => world.serves(VIP))
  })

  test('a fresh machine every time: nothing of the last run is left', { timeout: TEST_LIMIT_MS }, async () => {
    const { hypervisor } = world
    for (let round = 0; round < 2; round++) {
      expect((await hypervisor.prepare(SERVER, options)).from).toBe('saved')
      await hypervisor.run(SERVER.name, options)
      await until(() => world.serves(SERVER.address))
      expect(await world.serves(VIP)).toBe(false)
      await hypervisor.addAddress(SERVER.name, VIP, PREFIX, options)
      await until(() => world.serves(VIP))
      await hypervisor.stop(SERVER.name, options)
      expect(await world.serves(VIP)).toBe(false)
    }
  })

  test('a cold start is only made ready to boot', { timeout: TEST_LIMIT_MS }, async () => {
    const prepared = await world.hypervisor.prepare({ ...SERVER, standby: 'cold' }, options)
    expect(prepared).toMatchObject({ state: 'paused', from: 'cold' })
    expect(prepared.warning).toBeUndefined()
    await world.hypervisor.run(SERVER.name, options)
    await world.hypervisor.addAddress(SERVER.name, VIP, PREFIX, options)
    await until(() => world.serves(VIP))
  })

  test('preparing is idempotent while paused, refused while running', { timeout: TEST_LIMIT_MS }, async () => {
    const { hypervisor } = world
    const first = await hypervisor.prepare(SERVER, options)
    expect(await hypervisor.prepare(SERVER, options)).toEqual(first)
    await hypervisor.run(SERVER.name, options)
    await hypervisor.run(SERVER.name, options)
    await expect(hypervisor.prepare(SERVER, options)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
  })

  test('the saved state is one file below the image, by the name of its virtual server', async () => {
    const { hypervisor } = world
    const file = await hypervisor.savedState(SERVER)
    expect(file).toMatch(new RegExp(`^${SERVER.name}\\.[a-z0-9.]+\\.state$`))
    expect(await hypervisor.savedState(SERVER)).toBe(file)
  })

  test('the list tells paused from running from gone', { timeout: TEST_LIMIT_MS }, async () => {
    const { hypervisor } = world
    expect(await hypervisor.list(options)).toEqual([])
    const { pid, pid_start } = await hypervisor.prepare(SERVER, options)
    expect(await hypervisor.list(options)).toEqual([{ name: SERVER.name, state: 'paused', pid, pid_start }])
    await hypervisor.run(SERVER.name, options)
    expect(await hypervisor.list(options)).toEqual([{ name: SERVER.name, state: 'running', pid, pid_start }])
    await hypervisor.stop(SERVER.name, options)
    await hypervisor.stop(SERVER.name, options)
    expect(await hypervisor.list(options)).toEqual([])
  })

  test('what is not prepared does not run; what is stateful is refused', { timeout: TEST_LIMIT_MS }, async () => {
    await expect(world.hypervisor.run('nobody', options)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
    await expect(world.hypervisor.prepare({ ...SERVER, stateless: false }, options)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
  })

  test('a saved state that does not load is told, and the machine starts cold', { timeout: TEST_LIMIT_MS }, async () => {
    // Of real ones: a state for other memory does not exist. In memory: an image without a state.
    const other = kind !== 'memory' ? { ...SERVER, memory_mb: 144 } : { ...SERVER, image: 'other' }
    const prepared = await world.hypervisor.prepare(other, options)
    expect(prepared).toMatchObject({ from: 'cold', warning: expect.stringContaining('saved state') as unknown })
    expect(await world.hypervisor.prepare(other, options)).toEqual(prepared)
  })
})

describe.each(['QEMU', 'libvirt'] as const)('hypervisor: %s, real machines', kind => {
  let world: RealWorld
  beforeAll(async () => { world = await realWorld(kind) }, SETUP_LIMIT_MS)
  afterEach(() => world.stop(SERVER.name))

  test('a new agent finds, runs and stops the machines of the former one', { timeout: TEST_LIMIT_MS }, async () => {
    const prepared = await world.prepare(SERVER, options)
    await world.succeed()
    expect(await world.prepare(SERVER, options)).toEqual(prepared)
    await world.run(SERVER.name)
    await world.addAddress(SERVER.name, VIP, PREFIX)
    await world.succeed()
    expect(await world.list()).toMatchObject([{ state: 'running', pid: prepared.pid }])
    await until(() => world.serves(VIP))
    await world.dropAddress(SERVER.name, VIP, PREFIX)
    await world.stop(SERVER.name)
    expect(await world.list()).toEqual([])
    await expect(readFile(`/proc/${prepared.pid}/cmdline`, 'utf8').catch(() => '')).resolves.toBe('')
  })

  test('a machine the guard killed is gone from the list and can be prepared again', { timeout: TEST_LIMIT_MS }, async () => {
    const { pid } = await world.prepare(SERVER, options)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await world.list()).length === 0)
    expect((await world.prepare(SERVER, options)).pid).not.toBe(pid)
  })

  test('a preparation that is called off leaves nothing', { timeout: TEST_LIMIT_MS }, async () => {
    for (const abort_ms of [0, 20, 60]) {
      await world.ask('prepare', [SERVER], abort_ms).catch(() => undefined)
      await world.stop(SERVER.name)
      expect(await world.list()).toEqual([])
    }
    expect((await world.prepare(SERVER, options)).from).toBe('saved')
  })

  test('names and addresses that could be misread are refused', { timeout: TEST_LIMIT_MS }, async () => {
    for (const name of ['../x', '-x', 'a b', 'a/b', '']) await expect(world.prepare({ ...SERVER, name }, options)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
    await expect(world.prepare({ ...SERVER, image: '..' }, options)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
    await expect(world.addAddress(SERVER.name, '$(id)', PREFIX)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
  })
})

describe('hypervisor: QEMU only', () => {
  let world: RealWorld
  beforeAll(async () => { world = await realWorld('QEMU') }, SETUP_LIMIT_MS)

  test('a machine that does not answer is not taken for stopped', { timeout: TEST_LIMIT_MS }, async () => {
    const { pid } = await world.prepare(SERVER, options)
    process.kill(pid, 'SIGSTOP')
    await expect(world.list()).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
    await world.stop(SERVER.name)
    expect(await world.list()).toEqual([])
  })

  test('a machine cannot be moved while it runs, and the refusal says what to do', { timeout: TEST_LIMIT_MS }, async () => {
    await expect(world.migrate(SERVER.name, 'qemu+ssh://other/system')).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED', message: expect.stringContaining('libvirt') as unknown })
  })
})

describe('hypervisor: libvirt only', () => {
  const domain = `ringward-${SERVER.name}`
  let world: RealWorld
  beforeAll(async () => { world = await realWorld('libvirt') }, SETUP_LIMIT_MS)
  afterEach(() => world.stop(SERVER.name))

  test.each([['killed', 'SIGKILL', 'again'], ['stopped', 'SIGSTOP', 'SIGCONT']])('a libvirtd that was %s is unknown, never stopped; its machines end all the same', { timeout: TEST_LIMIT_MS }, async (_, signal, heal) => {
    const { pid } = await world.prepare(SERVER, options)
    await world.run(SERVER.name)
    await world.ask('libvirtd', [signal])
    try {
      await expect(world.list()).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
      await expect(world.prepare({ ...SERVER, name: 'other-v' }, options)).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
      await expect(world.stop('other-v')).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
      await world.stop(SERVER.name)
      await expect(readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).resolves.toBe('')
    } finally {
      await world.ask('libvirtd', [heal])
    }
    await until(async () => (await world.list()).length === 0)
    expect((await world.prepare(SERVER, options)).from).toBe('saved')
  })

  test('a machine is moved with its memory, arrives paused and goes on there', { timeout: SETUP_LIMIT_MS }, async () => {
    const destination = await RealWorld.openDestination(world)
    try {
      const { pid } = await world.prepare(SERVER, options)
      await world.run(SERVER.name)
      await world.addAddress(SERVER.name, VIP, PREFIX)
      await until(() => world.serves(VIP))
      await world.migrate(SERVER.name, destination.uri)
      expect(await world.list()).toEqual([])
      await expect(readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).resolves.toBe('')
      expect(await destination.list()).toMatchObject([{ name: SERVER.name, state: 'paused' }])
      expect(await destination.serves(VIP)).toBe(false)
      await destination.run(SERVER.name)
      // The address is still in the guest: it was moved, not started anew.
      await until(() => destination.serves(VIP))
      await destination.stop(SERVER.name)
    } finally {
      await destination.destroy()
    }
  })

  test('a machine that ended by itself is told at once', { timeout: TEST_LIMIT_MS }, async () => {
    const { pid } = await world.prepare(SERVER, options)
    await world.ask('ends', [])
    process.kill(pid, 'SIGKILL')
    await until(async () => (await world.ask('ends', []) as string[]).includes(SERVER.name))
  })

  test('a machine of the admin with such a name is neither seen nor ended', { timeout: TEST_LIMIT_MS }, async () => {
    const definition = join(tmpdir(), `rw-domain-${process.pid}.xml`)
    await writeFile(definition, `<domain type='qemu'><name>${domain}</name><memory unit='MiB'>16</memory><os><type arch='x86_64' machine='pc'>hvm</type></os></domain>`)
    await world.ask('virsh', [['create', '--paused', definition]])
    try {
      expect(await world.list()).toEqual([])
      await world.stop(SERVER.name)
      await expect(world.prepare(SERVER, options)).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED' })
      expect(await world.ask('virsh', [['domstate', domain]])).toContain('paused')
    } finally {
      await world.ask('virsh', [['destroy', domain]])
      await rm(definition)
    }
  })
})
