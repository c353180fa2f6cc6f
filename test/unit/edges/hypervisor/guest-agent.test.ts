import { createServer, type Server, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GuestAgent } from '../../../../src/edges/hypervisor/guest-agent.ts'
import { withQmp } from '../../../../src/edges/hypervisor/qmp.ts'

type Request = { execute: string, arguments: Record<string, unknown> }

let directory: string
let path: string
let server: Server | undefined
const sockets = new Set<Socket>()
const signal = new AbortController().signal

/** Speaks for QEMU or the guest; `answer` gives the lines to send back. */
async function speak(answer: (request: Request) => unknown[], greeting: unknown[] = []): Promise<void> {
  server = createServer(socket => {
    sockets.add(socket)
    socket.setEncoding('latin1')
    for (const line of greeting) socket.write(`${JSON.stringify(line)}\n`)
    socket.on('data', (text: string) => {
      for (const line of text.replaceAll('\xff', '').split('\n').filter(part => part !== '')) {
        for (const reply of answer(JSON.parse(line) as Request)) socket.write(`${JSON.stringify(reply)}\n`)
      }
    })
  })
  await new Promise<void>(resolve => server?.listen(path, resolve))
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rw-ga-'))
  path = join(directory, 'socket')
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise(resolve => server ? server.close(resolve) : resolve(undefined))
  await rm(directory, { recursive: true, force: true })
})

describe('guest agent', () => {
  test('passes over what was meant for a former caller', async () => {
    await speak(({ execute, arguments: values }) => execute === 'guest-sync'
      ? [{ error: { class: 'GenericError', desc: 'stray' } }, { return: 7 }, { return: values['id'] }]
      : [{ return: { said: execute } }])
    const guest = new GuestAgent(path)
    expect(await guest.use(signal, conversation => conversation.execute('guest-info'))).toEqual({ said: 'guest-info' })
    guest.close()
  })

  test('waits for a guest that does not listen yet', async () => {
    let asked = 0
    await speak(({ execute, arguments: values }) => execute !== 'guest-sync' ? [{ return: {} }] : ++asked < 3 ? [] : [{ return: values['id'] }])
    const guest = new GuestAgent(path)
    await guest.use(signal, conversation => conversation.execute('guest-ping'))
    expect(asked).toBe(3)
    guest.close()
  })

  test('a guest that never answers ends at the limit, and the next caller starts afresh', async () => {
    let is_deaf = true
    await speak(({ execute, arguments: values }) => is_deaf ? [] : [{ return: execute === 'guest-sync' ? values['id'] : {} }])
    const guest = new GuestAgent(path)
    await expect(guest.use(signal, conversation => conversation.execute('guest-ping'), 50)).rejects.toMatchObject({ code: 'GUEST_FAILED' })
    is_deaf = false
    expect(await guest.use(signal, conversation => conversation.execute('guest-ping'))).toEqual({})
    guest.close()
  })

  test('gives back what a program said and how it ended', async () => {
    let questions = 0
    await speak(({ execute, arguments: values }) => {
      if (execute === 'guest-sync') return [{ return: values['id'] }]
      if (execute === 'guest-exec') return [{ return: { pid: 9 } }]
      return [{ return: ++questions < 2 ? { exited: false } : { exited: true, exitcode: 2, 'err-data': Buffer.from('no').toString('base64') } }]
    })
    const guest = new GuestAgent(path)
    expect(await guest.use(signal, conversation => conversation.run('ip', ['address']))).toEqual({ status: 2, stdout: '', stderr: 'no' })
    guest.close()
  })

  test('nobody there is an error at once', async () => {
    await expect(new GuestAgent(path).use(signal, conversation => conversation.execute('guest-ping'))).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
  })
})

describe('monitor', () => {
  const greeting = [{ QMP: { version: {} } }]

  test('passes over events and reports a refusal in QEMU\'s words', async () => {
    await speak(({ execute }) => execute === 'cont' ? [{ event: 'RESUME' }, { error: { class: 'GenericError', desc: 'no state' } }] : [{ return: { status: 'paused' } }], greeting)
    expect(await withQmp(path, signal, qmp => qmp.status())).toBe('paused')
    await expect(withQmp(path, signal, qmp => qmp.execute('cont'))).rejects.toMatchObject({ code: 'HYPERVISOR_FAILED', message: 'QEMU refused cont: no state' })
  })

  test('ends at the limit and when it is called off', async () => {
    await speak(() => [], greeting)
    await expect(withQmp(path, signal, qmp => qmp.status(), 30)).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 10)
    await expect(withQmp(path, controller.signal, qmp => qmp.status())).rejects.toMatchObject({ code: 'HYPERVISOR_UNREACHABLE' })
  })
})
