import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProbeStep } from '../../../src/core/inventory.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { speakDialogue } from '../../../src/edges/probes/dialogue.ts'
import { dnsAnswer } from '../../../src/edges/probes/dns-answer.ts'

const ASK: ProbeStep[] = [{ send: 'ping' }, { expect: '^pong$' }]
const clock = new SystemClock()
const opened: Socket[] = []

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close()
})

/** A service over UDP: `talk` gets each datagram with its number, from 1. */
async function serve(talk: (bytes: Buffer, answer: (text: string) => void, number: number, from: RemoteInfo) => void): Promise<number> {
  const socket = createSocket('udp4')
  opened.push(socket)
  let number = 0
  socket.on('message', (bytes, from) => talk(bytes, text => socket.send(Buffer.from(text, 'latin1'), from.port, from.address), ++number, from))
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return socket.address().port
}

function ask(port: number, steps: ProbeStep[] = ASK, limit_ms = 5_000, signal = new AbortController().signal) {
  return speakDialogue('127.0.0.1', { name: 'own', port, transport: 'udp', limit_ms, steps }, clock, signal)
}

describe('a service dialogue over UDP', () => {
  it('is OK with the right answers, turn by turn, and still sends what comes last', async () => {
    const heard: string[] = []
    let last = (): void => undefined
    const bye = new Promise<void>(resolve => { last = resolve })
    const port = await serve((bytes, answer) => {
      heard.push(bytes.toString())
      if (heard.length === 3) last()
      else answer(`yes ${heard.length}\nand more`)
    })
    expect(await ask(port, [{ send: 'one' }, { expect: '^yes 1' }, { expect: 'more', send: 'two' }, { expect: '^yes 2', send: 'bye' }]))
      .toMatchObject({ verdict: 'OK', detail: `port ${port}/udp answered as expected` })
    await bye
    expect(heard).toEqual(['one', 'two', 'bye'])
  })

  it('keeps every byte, both ways', async () => {
    const every = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('')
    const port = await serve((bytes, answer) => answer([...bytes].every((byte, at) => byte === at) && bytes.length === 256 ? every : '?'))
    expect(await ask(port, [{ send: every }, { expect: '^\\x00\\x01[^]*\\x7f\\x80[^]*\\xfe\\xff$' }])).toMatchObject({ verdict: 'OK' })
  })

  it.each([[1], [2]])('survives the loss of %i datagrams, asked or answered', async lost => {
    const port = await serve((_, answer, number) => { if (number > lost) answer('pong') })
    expect(await ask(port, ASK, 600)).toMatchObject({ verdict: 'OK' })
  })

  it('is NG when none answers in time, whatever the expression', async () => {
    let asked = 0
    const port = await serve(() => { asked++ })
    const result = await ask(port, [{ send: 'ping' }, { expect: '.*' }], 300)
    expect(result).toMatchObject({ verdict: 'NG', detail: 'no answer within 300 ms, wanted step 2 /.*/' })
    expect(result.duration_ms).toBeGreaterThanOrEqual(299)
    expect(asked).toBeGreaterThanOrEqual(2)
  })

  it('is NG at once when nothing listens', async () => {
    const port = await serve(() => undefined)
    await new Promise<void>(resolve => opened.pop()?.close(resolve))
    expect(await ask(port)).toMatchObject({ verdict: 'NG', detail: `nothing listens on port ${port}/udp (ECONNREFUSED)` })
  })

  it('is ERROR when only wrong answers came', async () => {
    const port = await serve((_, answer) => answer('what\x00'))
    expect(await ask(port, ASK, 150)).toMatchObject({ verdict: 'ERROR', detail: 'answered "what·" and not step 2 /^pong$/ within 150 ms' })
  })

  it('takes a right answer after a wrong one, and judges each by itself', async () => {
    const port = await serve((_, answer, number) => {
      answer('po')
      answer(number === 1 ? 'ng' : 'pong')
    })
    expect(await ask(port, ASK, 300)).toMatchObject({ verdict: 'OK' })
  })

  it('is not talked to by others', async () => {
    const port = await serve((_, __, number, from) => {
      if (number > 1) return
      const stranger = createSocket('udp4')
      stranger.send('pong', from.port, from.address, () => stranger.close())
    })
    expect(await ask(port, ASK, 200)).toMatchObject({ verdict: 'NG' })
  })

  it('is ERROR when the other side floods', async () => {
    const port = await serve((_, answer) => { for (let sent = 0; sent < 40; sent++) answer('x'.repeat(4_000)) })
    expect(await ask(port)).toMatchObject({ verdict: 'ERROR', detail: 'sent more than 65536 bytes without step 2 /^pong$/' })
  })

  it('is called off by its signal', async () => {
    const port = await serve(() => undefined)
    const controller = new AbortController()
    const early = ask(port, ASK, 60_000, controller.signal)
    controller.abort()
    await expect(early).rejects.toMatchObject({ code: 'ABORTED' })
    const late = new AbortController()
    const asked = new Promise<number>(resolve => void serve((_, __, ___, from) => resolve(from.port)).then(other => {
      ask(other, ASK, 60_000, late.signal).catch((error: unknown) => { expect(error).toMatchObject({ code: 'ABORTED' }) })
    }))
    await asked
    late.abort()
  })
})

describe('the words for an answer of DNS', () => {
  const QUESTION = 'rw\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01'
  const answer = (flags: string): string => `rw${flags}\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01`

  it.each([['DNS REFUSED (', '\x81\x85'], ['DNS SERVFAIL (', '\x81\x82'], ['DNS NXDOMAIN (', '\x81\x83'], ['DNS response code 9', '\x81\x89']])('%s', (words, flags) => {
    expect(dnsAnswer(QUESTION, answer(flags))?.startsWith(words)).toBe(true)
  })

  it('are not said of anything else', () => {
    expect(dnsAnswer('ping', 'pong')).toBeUndefined()
    expect(dnsAnswer(QUESTION, QUESTION)).toBeUndefined()
    expect(dnsAnswer(QUESTION, answer('\x81\x80').replace('rw', 'rx'))).toBeUndefined()
  })
})
