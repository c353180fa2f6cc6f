import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { runCheck } from '../../src/configuration/check.ts'
import { formatProblem } from '../../src/configuration/problem.ts'
import { renderServerToml } from '../../src/configuration/ring-writer.ts'
import type { ProbeDialogue } from '../../src/core/inventory.ts'
import { SystemClock } from '../../src/edges/clock.ts'
import { speakDialogue } from '../../src/edges/probes/dialogue.ts'
import { ringFiles, serverText } from '../unit/configuration-ring.ts'
import { SmallServices } from './support/small-services.ts'

/** What an operator writes into probes/NAME.toml, from the file to the verdict. */
const services = new SmallServices()
const folders: string[] = []
afterEach(async () => {
  await services.closeAll()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

/** As `ringward check DIR` reads it. */
async function checked(file: string) {
  const folder = await mkdtemp(join(tmpdir(), 'ringward-own-'))
  folders.push(folder)
  const server = serverText('mail', 1, { daemons: [{ name: 'own-daemon', probe: 'own' }] })
  for (const [path, text] of ringFiles().set('servers/mail.toml', renderServerToml(server)).set('probes/own.toml', file)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return await runCheck(folder)
}

async function ownProbe(file: string): Promise<ProbeDialogue> {
  const { inventory, problems } = await checked(file)
  expect(problems).toEqual([])
  const probe = inventory?.servers[0]?.daemons[0]?.probe
  if (!probe) throw new Error('the configuration has no such probe')
  return probe
}

const ask = (probe: ProbeDialogue) => speakDialogue('127.0.0.1', probe, new SystemClock(), new AbortController().signal)

/** A greeting of several lines, a binary question and answer, a polite end. */
const TURNS = (port: number, limit: string): string => String.raw`port = ${port}
limit = "${limit}"

[[steps]]
expect = '^200-welcome\r\n200-[^]*\n200 ready\r\n$'
send = "LOGIN\r\n"

[[steps]]
expect = '^331 '
send = "\u0000\u0001\u007f\u0080\u00ff\r\n"

[[steps]]
expect = '^\x00\xff\n\xfe'

[[steps]]
expect = 'done$'
send = "BYE\r\n"
`

/** The other side of it; `wrong` changes the binary answer. Remembers what it was sent. */
function talkative(heard: string[], wrong = false) {
  return services.stream(socket => {
    socket.write('200-welcome\r\n200-second line\r\n')
    setTimeout(() => socket.write('200 ready\r\n'), 20)
    socket.on('data', (text: string) => {
      heard.push(text)
      if (text === 'LOGIN\r\n') socket.write('331 go on\r\n')
      else if (text.startsWith('\0')) {
        socket.write(Buffer.from(wrong ? '\x00\xfe' : '\x00\xff\n\xfe', 'latin1'))
        setTimeout(() => socket.write('all done'), 20)
      }
    })
  })
}

describe('a dialogue of your own', () => {
  test('of several turns, with several lines and any byte', async () => {
    const heard: string[] = []
    const probe = await ownProbe(TURNS(await talkative(heard), '20s'))
    expect(probe).toMatchObject({ name: 'own', limit_ms: 20_000 })
    expect(await ask(probe)).toMatchObject({ verdict: 'OK' })
    await expect.poll(() => heard).toEqual(['LOGIN\r\n', '\x00\x01\x7f\x80\xff\r\n', 'BYE\r\n'])
  })

  test('is ERROR with a wrong byte, at its own limit', async () => {
    const result = await ask(await ownProbe(TURNS(await talkative([], true), '400ms')))
    expect(result).toMatchObject({ verdict: 'ERROR', detail: String.raw`answered "·all done" and not step 3 /^\x00\xff\n\xfe/ within 400 ms` })
  })

  test('is NG when the last turn stays away', async () => {
    const port = await services.stream(socket => socket.write('200-welcome\r\n200-x\r\n200 ready\r\n'))
    expect(await ask(await ownProbe(TURNS(port, '250ms')))).toMatchObject({ verdict: 'NG', detail: 'no answer within 250 ms, wanted step 2 /^331 /' })
  })

  test('goes over UDP, with any byte', async () => {
    const port = await services.datagram(text => text === '\x00\xff\n' ? '\xfe\x00\n' : undefined)
    const probe = await ownProbe(`port = ${port}\ntransport = "udp"\nlimit = "20s"\n[[steps]]\nsend = "\\u0000\\u00ff\\n"\n[[steps]]\nexpect = '^\\xfe\\x00\\n$'\n`)
    expect(await ask(probe)).toMatchObject({ verdict: 'OK', detail: `port ${port}/udp answered as expected` })
  })

  test.each([
    ['port = 70000\n[[steps]]\nexpect = "a"\n', 'probes/own.toml:1:1: port = 70000 is too large: at most 65535. Write the port of the service, for example port = 25.'],
    ['port = 1\nlimit = "2m"\n[[steps]]\nexpect = "a"\n', 'probes/own.toml:2:1: limit = "2m" is out of range: from 50ms to 1m. Write the limit of the whole dialogue, for example limit = "3s".'],
    ['port = 1\n[[steps]]\nexpect = "("\n', 'probes/own.toml:3:1: steps 1: expect = "(" is not a regular expression: Unterminated group. Write a regular expression for the answer, for example expect = "^220 ".'],
    ['port = 1\n[[steps]]\nexpext = "a"\nsend = "b"\n', 'probes/own.toml:3:1: unknown key "expext" in steps 1. Did you mean "expect"?'],
    ['port = 1\n[[steps]]\nsend = "\u20ac"\n', 'probes/own.toml:3:1: steps 1: send = "€" has characters beyond one byte. Write the text to send with its line ends, for example send = "QUIT\\r\\n".'],
    ['port = 1\ntransport = "udp"\n[[steps]]\nsend = "a"\n', 'probes/own.toml:3:1: steps 1 waits for no answer, without which nobody knows over "udp" whether a service is there: end with a step that expects. Write expect, send, or both (expect comes first).'],
    ['port = 1\n[[steps]]\nsend = "a\n', /^probes\/own\.toml:3:\d+: this is not valid TOML: /],
  ])('is refused with file, line and what to write: %j', async (file, message) => {
    const { problems } = await checked(file)
    expect(problems.map(formatProblem)).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)])
  })
})
