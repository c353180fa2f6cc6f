import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SystemClock } from '../../src/edges/clock.ts'
import { CommandPowerSwitch } from '../../src/edges/power/command-power-switch.ts'
import { MemoryPowerSwitch } from '../../src/edges/power/memory-power-switch.ts'
import type { PoweredServer, PowerState, PowerSwitch } from '../../src/edges/power/power-switch.ts'

interface World {
  readonly power: PowerSwitch
  readonly server: PoweredServer
  set(state: PowerState): Promise<void>
  state(): Promise<string>
  /** From now on the controller says this, whatever is true. */
  says(words: string): Promise<void>
  /** From now on it takes its time. */
  slow(): Promise<void>
  destroy(): Promise<void>
}

/** A program with ipmitool's words, its state in a file. */
const PROGRAM = `#!/bin/sh
cd "$1" || exit 1
[ -e slow ] && exec sleep 60
[ "$2" = on ] || [ "$2" = off ] && echo "$2" > state && echo "Chassis Power Control: $2" && exit 0
if [ -e words ]; then cat words; else echo "Chassis Power is $(cat state)"; fi
`

async function commandWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'ringward-power-'))
  const program = join(directory, 'power')
  await writeFile(program, PROGRAM, { mode: 0o755 })
  await writeFile(join(directory, 'state'), 'on\n')
  return {
    power: new CommandPowerSwitch(new SystemClock()), server: { name: 'ftp', power: { wake_on_lan: true, command: [program, directory] } },
    set: state => writeFile(join(directory, 'state'), `${state}\n`), state: async () => (await readFile(join(directory, 'state'), 'utf8')).trim(),
    says: words => writeFile(join(directory, 'words'), words), slow: () => writeFile(join(directory, 'slow'), ''),
    destroy: () => rm(directory, { recursive: true }),
  }
}

function memoryWorld(): Promise<World> {
  const power = new MemoryPowerSwitch()
  return Promise.resolve({
    power, server: { name: 'ftp', power: { wake_on_lan: true, command: ['/simulated'] } },
    set: state => Promise.resolve(void power.states.set('ftp', state)), state: () => Promise.resolve(power.states.get('ftp') ?? 'on'),
    says: words => Promise.resolve(void power.words.set('ftp', words)), slow: () => Promise.resolve(void (power.answer_ms = 60_000)),
    destroy: () => Promise.resolve(),
  })
}

describe.each([
  { kind: 'a program', makeWorld: commandWorld },
  { kind: 'memory', makeWorld: memoryWorld },
])('a power switch by $kind', ({ makeWorld }) => {
  let world: World
  const { signal } = new AbortController()

  beforeEach(async () => { world = await makeWorld() })
  afterEach(async () => { await world.destroy() })

  it('says what is true', async () => {
    expect(await world.power.status(world.server, { signal })).toBe('on')
    await world.set('off')
    expect(await world.power.status(world.server, { signal })).toBe('off')
  })

  it('switches, and says what is true afterwards', async () => {
    expect(await world.power.off(world.server, { signal })).toBe('off')
    expect(await world.state()).toBe('off')
    expect(await world.power.on(world.server, { signal })).toBe('on')
    expect(await world.power.on(world.server, { signal })).toBe('on')
    expect(await world.state()).toBe('on')
  })

  it.each(['on', 'off', ' OFF \n', 'Chassis Power is off\n', 'warning: slow\nChassis Power is off\n'])('reads %j', async words => {
    await world.says(words)
    expect(await world.power.status(world.server, { signal })).toBe(words.toLowerCase().includes('off') ? 'off' : 'on')
  })

  it.each(['', 'offline', 'Chassis Power is unknown', 'on\noff\n', 'power: off', 'off. Or not.', `${'x'.repeat(5_000)}\noff`])('takes %j for no answer, never for off', async words => {
    await world.says(words)
    await expect(world.power.status(world.server, { signal })).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
    await expect(world.power.off(world.server, { signal })).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  })

  it('can be called off', async () => {
    await world.slow()
    const over = new AbortController()
    const asked = world.power.status(world.server, { signal: over.signal })
    setTimeout(() => over.abort(), 50)
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('asks nobody for a host without a controller', async () => {
    await expect(world.power.status({ name: 'ftp', power: { wake_on_lan: true } }, { signal })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })
})

describe('a program that asks for power', () => {
  const { signal } = new AbortController()
  const power = new CommandPowerSwitch(new SystemClock())
  const ask = (...command: string[]) => power.status({ name: 'ftp', power: { wake_on_lan: true, command } }, { signal })

  it('is not believed when it failed, whatever it printed', async () => {
    await expect(ask('/bin/sh', '-c', 'echo off; exit 1')).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  })

  it('may be missing, and has three seconds', async () => {
    await expect(ask('/usr/bin/no-such-program')).rejects.toMatchObject({ code: 'COMMAND_MISSING' })
    await expect(ask('/bin/sh', '-c', 'exec sleep 60')).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' })
  })
})
