import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BUILTIN_PROBES } from '../../src/configuration/builtin-probes.ts'
import type { ProbeDialogue } from '../../src/core/inventory.ts'
import { SystemClock } from '../../src/edges/clock.ts'
import { SystemProber } from '../../src/edges/probes/system-prober.ts'
import { DebianDaemons } from './support/debian-daemons.ts'
import { SmallServices } from './support/small-services.ts'

/** Unpacks Debian's packages the first time. Only against hanging. */
const SETUP_LIMIT_MS = 300_000
/** Short, for answers that will not come; real daemons on a busy machine may take this long to give a wrong one; and against hanging. */
const LIMIT_MS = 300
const WRONG_LIMIT_MS = 2_000
const WORKING_LIMIT_MS = 30_000
const NAMES = ['pop3', 'imap', 'dns'] as const
type Name = typeof NAMES[number]

const prober = new SystemProber({ clock: new SystemClock(), onProblem: () => undefined })
afterAll(() => prober.stop())

/** Somebody who gives the three services. */
interface World {
  /** What the name stands for, at a working service. */
  readonly working: (name: Name) => Promise<Asked>
  /** The same, at one that answers something else. */
  readonly wrong: (name: Name) => Promise<Asked>
  /** The same, at one that takes what it gets and says nothing. */
  readonly mute: (name: Name) => Promise<Asked>
  reset(): Promise<void>
  destroy(): Promise<void>
}
interface Asked { readonly address: string, readonly probe: ProbeDialogue }

function builtin(name: Name, changes: Partial<ProbeDialogue> = {}): ProbeDialogue {
  const probe = BUILTIN_PROBES[name]
  if (!probe) throw new Error(`the product has no probe ${name}`)
  return { ...probe, ...changes }
}

/** The dialogue of `name` with another name asked for: dnsmasq without a way to the outside refuses it. */
const FOREIGN: ProbeDialogue = builtin('dns', { limit_ms: WRONG_LIMIT_MS, steps: builtin('dns').steps.map(step => step.send === undefined ? step : { ...step, send: step.send.replace('localhost', 'elsewhere') }) })

async function debianWorld(): Promise<World> {
  const daemons = await DebianDaemons.start()
  const { address } = daemons
  const others: Readonly<Record<Name, ProbeDialogue>> = { pop3: builtin('imap', { port: 110, limit_ms: WRONG_LIMIT_MS }), imap: builtin('pop3', { port: 143, limit_ms: WRONG_LIMIT_MS }), dns: FOREIGN }
  return {
    working: name => Promise.resolve({ address, probe: builtin(name, { limit_ms: WORKING_LIMIT_MS }) }),
    wrong: name => Promise.resolve({ address, probe: others[name] }),
    mute: async name => {
      await daemons.freeze()
      return { address, probe: builtin(name, { limit_ms: LIMIT_MS }) }
    },
    reset: () => daemons.thaw(),
    destroy: () => daemons.stop(),
  }
}

/** Greeting, and an answer to each line. */
const LINES: Readonly<Record<'pop3' | 'imap', Readonly<Record<'working' | 'wrong', readonly [string, (line: string) => string]>>>> = {
  pop3: { working: ['+OK ready\r\n', line => line === 'QUIT' ? '+OK bye\r\n' : '-ERR\r\n'], wrong: ['+OK ready\r\n', () => '-ERR mail box is locked\r\n'] },
  imap: { working: ['* PREAUTH ready\r\n', line => line === 'r1 LOGOUT' ? '* BYE\r\nr1 OK\r\n' : 'r1 BAD\r\n'], wrong: ['* OK ready\r\n', () => '* BYE\r\nr1 BAD unknown\r\n'] },
}

function smallWorld(): Promise<World> {
  const services = new SmallServices()
  const address = '127.0.0.1'
  const asked = async (name: Name, kind: 'working' | 'wrong', limit_ms: number): Promise<Asked> => {
    const code = kind === 'working' ? '\x84\x00' : '\x80\x05'
    if (name === 'dns') return { address, probe: builtin(name, { limit_ms, port: await services.datagram(question => `${question.slice(0, 2)}${code}${question.slice(4)}`) }) }
    const [greeting, reply] = LINES[name][kind]
    const port = await services.stream(socket => {
      socket.write(greeting)
      socket.on('data', (line: string) => socket.write(reply(line.trimEnd())))
    })
    return { address, probe: builtin(name, { limit_ms, port }) }
  }
  return Promise.resolve({
    working: name => asked(name, 'working', WORKING_LIMIT_MS),
    wrong: name => asked(name, 'wrong', LIMIT_MS),
    mute: async name => ({ address, probe: builtin(name, { limit_ms: LIMIT_MS, port: await (name === 'dns' ? services.datagram(() => undefined) : services.stream(() => undefined)) }) }),
    reset: () => services.closeAll(),
    destroy: () => services.closeAll(),
  })
}

describe.each([['Debian\'s daemons', debianWorld], ['small services', smallWorld]] as const)('dialogues that come with the product: %s', (_, makeWorld) => {
  let world: World
  beforeAll(async () => { world = await makeWorld() }, SETUP_LIMIT_MS)
  afterEach(() => world.reset())
  afterAll(() => world.destroy())
  const ask = ({ address, probe }: Asked) => prober.dialogue(address, probe, new AbortController().signal)

  test.each(NAMES)('%s: OK with a working service', async name => {
    expect(await ask(await world.working(name))).toMatchObject({ verdict: 'OK' })
  })

  test.each(NAMES)('%s: ERROR with a wrong answer, which is told', async name => {
    const { verdict, detail } = await ask(await world.wrong(name))
    expect(verdict).toBe('ERROR')
    expect(detail).toMatch(name === 'dns' ? /^answered DNS REFUSED \(the server does not answer this host, or not for this name: .*\) and not step 2 / : /^answered ".+" and not step \d /)
  })

  test.each(NAMES)('%s: NG with none in time, and OK when it speaks again', async name => {
    const before = await world.working(name)
    expect(await ask(await world.mute(name))).toMatchObject({ verdict: 'NG', detail: expect.stringMatching(/^no answer within 300 ms/) as string })
    if (makeWorld === smallWorld) return
    await world.reset()
    expect(await ask(before)).toMatchObject({ verdict: 'OK' })
  })
})
