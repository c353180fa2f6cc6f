import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askControl } from '../../../src/control/control-client.ts'
import { ControlServer, type ControlHandlers, type ControlServerOptions } from '../../../src/control/control-server.ts'
import { RingwardError } from '../../../src/errors.ts'

let directory: string
let servers: ControlServer[]
const path = () => join(directory, 'control.sock')

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringward-control-'))
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function serve(handlers: ControlHandlers, options: Partial<ControlServerOptions> = {}): Promise<ControlServer> {
  const server = new ControlServer({ path: path(), handlers, ...options })
  await server.start()
  servers.push(server)
  return server
}

const ask = (verb: string, args = {}, deadline_ms = 10_000) => askControl(path(), verb, args, { deadline_ms })
const codeOf = (work: Promise<unknown>) => work.then(() => 'none', (error: unknown) => error instanceof RingwardError ? error.code : String(error))

/** Sends text and gathers so many lines. */
function speak(text: string, lines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(path())
    socket.setEncoding('utf8').on('data', (part: string) => {
      heard += part
      if (heard.split('\n').length > lines) socket.destroy()
    })
    socket.on('error', reject).on('close', () => resolve(heard.trimEnd().split('\n')))
    socket.write(text)
  })
}

describe('control socket', () => {
  it('answers a verb with its document, for root alone', async () => {
    await serve({ status: args => ({ schema: 'ringward.status/1', args }) })
    expect(await ask('status', { host: 'ftp' })).toEqual({ schema: 'ringward.status/1', args: { host: 'ftp' } })
    expect(statSync(path()).mode & 0o777).toBe(0o600)
  })

  it('passes on the code and the sentence of an error', async () => {
    await serve({
      refused: () => { throw new RingwardError('CONTROL_REFUSED', 'not while an incident is open') },
      broken: () => Promise.reject(new Error('a bug')),
    })
    await expect(ask('refused')).rejects.toMatchObject({ code: 'CONTROL_REFUSED', message: 'not while an incident is open' })
    await expect(ask('broken')).rejects.toMatchObject({ code: 'INTERNAL', message: 'a bug' })
    for (const verb of ['unknown', 'toString', '__proto__']) expect(await codeOf(ask(verb))).toBe('CONTROL_REFUSED')
  })

  it('answers several requests on one connection in their order', async () => {
    await serve({ late: async () => { await new Promise(resolve => setTimeout(resolve, 20)); return 'late' }, soon: () => 'soon' })
    const heard = await speak('{"id":7,"verb":"late"}\n{"id":8,"verb":"soon","args":{}}\nnonsense\n', 3)
    expect(heard.map(line => JSON.parse(line) as unknown)).toEqual([
      { id: 7, ok: true, document: 'late' }, { id: 8, ok: true, document: 'soon' },
      { id: null, ok: false, error: { code: 'CONTROL_REFUSED', message: 'a request is {"id", "verb", "args"} on one line' } },
    ])
  })

  it('sends away who writes too long a line or too many requests', async () => {
    await serve({ wait: () => new Promise(() => undefined) }, { request_limit_ms: 200 })
    expect((await speak(`${'x'.repeat(70_000)}\n`, 1))[0]).toContain('longer than 65536')
    expect((await speak('{"id":1,"verb":"wait"}\n'.repeat(40), 1))[0]).toContain('16 requests wait')
  })

  it('ends a request at its deadline and calls its work off', async () => {
    const called_off: boolean[] = []
    await serve({ hang: (_args, signal) => new Promise(() => signal.addEventListener('abort', () => called_off.push(true))) }, { request_limit_ms: 50 })
    expect(await codeOf(ask('hang'))).toBe('CONTROL_TIMEOUT')
    expect(called_off).toEqual([true])
  })

  it('calls the work off when the client goes away', async () => {
    const gone = new Promise<void>(resolve => {
      void serve({ hang: (_args, signal) => new Promise(() => signal.addEventListener('abort', () => resolve())) }).then(() => codeOf(ask('hang', {}, 50)))
    })
    await gone
  })

  it('bounds connections and tells who is refused why', async () => {
    await serve({ status: () => 'fine' }, { connections_limit: 1 })
    const first = connect(path())
    await new Promise(resolve => first.once('connect', resolve))
    await expect(ask('status')).rejects.toMatchObject({ code: 'CONTROL_REFUSED', message: /too many/ })
    first.destroy()
    await new Promise(resolve => first.once('close', resolve))
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(await ask('status')).toBe('fine')
  })

  it('replaces the socket of a dead agent, and refuses to rob a living one', async () => {
    writeFileSync(path(), '')
    const first = await serve({ who: () => 'first' })
    await expect(new ControlServer({ path: path(), handlers: {} }).start()).rejects.toMatchObject({ code: 'CONTROL_REFUSED' })
    expect(await ask('who')).toBe('first')
    await first.stop()
    await serve({ who: () => 'second' })
    expect(await ask('who')).toBe('second')
  })
})

describe('control client', () => {
  let foreign: Server | undefined
  afterEach(() => new Promise<void>(resolve => { if (foreign) foreign.close(() => resolve()); else resolve(); foreign = undefined }))

  const listen = (act: (socket: import('node:net').Socket) => void) => new Promise<void>(resolve => {
    foreign = createServer(act).listen(path(), resolve)
  })

  it('says what to do when nothing runs', async () => {
    await expect(ask('status')).rejects.toMatchObject({ code: 'NOT_RUNNING', message: /is the flag set\? `ringward flag on`/ })
  })

  it('gives up on an agent that does not answer, goes away, or talks nonsense', async () => {
    await listen(socket => socket.once('data', () => undefined).on('error', () => undefined))
    expect(await codeOf(ask('status', {}, 50))).toBe('CONTROL_TIMEOUT')
    await new Promise<void>(resolve => foreign?.close(() => resolve()))
    await listen(socket => socket.destroy())
    expect(await codeOf(ask('status'))).toBe('CONTROL_UNREACHABLE')
    await new Promise<void>(resolve => foreign?.close(() => resolve()))
    await listen(socket => socket.resume().end('hello\n'))
    expect(await codeOf(ask('status'))).toBe('CONTROL_UNREACHABLE')
  })

  it('can be called off', async () => {
    await listen(socket => socket.once('data', () => undefined).on('error', () => undefined))
    const caller = new AbortController()
    const asked = askControl(path(), 'status', {}, { deadline_ms: 10_000, signal: caller.signal })
    caller.abort()
    expect(await codeOf(asked)).toBe('ABORTED')
  })

  it('takes an unknown code of a newer agent for an internal one', async () => {
    await listen(socket => socket.resume().end('{"id":1,"ok":false,"error":{"code":"FROM_THE_FUTURE","message":"why"}}\n'))
    await expect(ask('status')).rejects.toMatchObject({ code: 'INTERNAL', message: 'why' })
  })
})
