import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProbeDialogue, ProbeStep } from '../../../src/core/inventory.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import { speakDialogue } from '../../../src/edges/probes/dialogue.ts'
import { SystemProber } from '../../../src/edges/probes/system-prober.ts'

const SMTP: ProbeStep[] = [{ expect: '(^|\\n)220 ' }, { send: 'QUIT\r\n' }, { expect: '^221' }]
const clock = new SystemClock()
const opened: { server: Server; sockets: Set<Socket> }[] = []

afterEach(async () => {
  for (const { server, sockets } of opened.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
})

async function serve(talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  opened.push({ server, sockets })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function ask(port: number, steps: ProbeStep[] = SMTP, limit_ms = 5_000, signal = new AbortController().signal) {
  const probe: ProbeDialogue = { name: 'smtp', port, limit_ms, steps }
  return speakDialogue('127.0.0.1', probe, clock, signal)
}

/** Keeps the event loop busy, as garbage collection or a slow host would. */
function block(duration_ms: number): void {
  const until = clock.boot_ms() + duration_ms
  while (clock.boot_ms() < until) { /* on purpose */ }
}

describe('a service dialogue', () => {
  it('is OK with the right answers, in pieces and over several lines', async () => {
    const quit: string[] = []
    const port = await serve(socket => {
      socket.write('220-welcome\r\n22')
      setTimeout(() => socket.write('0 ready\r\n'), 20)
      socket.on('data', data => {
        quit.push(data.toString())
        socket.end('221 bye\r\n')
      })
    })
    expect(await ask(port)).toMatchObject({ verdict: 'OK' })
    expect(quit).toEqual(['QUIT\r\n'])
  })

  it('still sends what comes last', async () => {
    const quit = new Promise(resolve => void serve(socket => {
      socket.write('220 ready\r\n')
      socket.on('data', data => resolve(data.toString()))
    }).then(port => ask(port, [{ expect: '^220 ', send: 'QUIT\r\n' }])))
    expect(await quit).toBe('QUIT\r\n')
  })

  it('does not take what answered the former step for the next answer', async () => {
    const port = await serve(socket => {
      socket.write('220 ready\r\n')
      socket.on('data', () => socket.write('500 what\r\n'))
    })
    const steps = [{ expect: '^220 ', send: 'HELO\r\n' }, { expect: '^220 ' }]
    expect(await ask(port, steps, 200)).toMatchObject({ verdict: 'ERROR', timed_out: true, slow: false, detail: 'answered "500 what" and not step 2 /^220 / within 200 ms' })
  })

  it('takes what a server said before it was its turn', async () => {
    const port = await serve(socket => socket.write('SSH-2.0-dropbear\r\n\0\x01\xffcurve25519-sha256'))
    expect(await ask(port, [{ expect: '^SSH-2\\.0-', send: 'SSH-2.0-ringward\r\n' }, { expect: 'curve25519' }])).toMatchObject({ verdict: 'OK' })
  })

  it('is NG when the greeting is all there is', async () => {
    const port = await serve(socket => socket.write('220 ready\r\n'))
    expect(await ask(port, SMTP, 100)).toMatchObject({ verdict: 'NG', detail: 'no answer within 100 ms, wanted step 3 /^221/', slow: true })
  })

  it('is ERROR with a wrong answer, at once when the other side closes', async () => {
    const port = await serve(socket => socket.end('554 go\x07 away\r\n'))
    expect(await ask(port)).toMatchObject({ verdict: 'ERROR', detail: 'answered "554 go· away" and not step 1 /(^|\\n)220 / before the other side closed' })
  })

  it('is NG when the daemon accepts and never answers', async () => {
    const port = await serve(() => undefined)
    const result = await ask(port, SMTP, 100)
    expect(result).toMatchObject({ verdict: 'NG', timed_out: true, detail: 'no answer within 100 ms, wanted step 1 /(^|\\n)220 /' })
    expect(result.duration_ms).toBeGreaterThanOrEqual(99)
  })

  it('is NG when nothing listens', async () => {
    const port = await serve(() => undefined)
    await new Promise(resolve => opened.pop()?.server.close(resolve))
    expect(await ask(port)).toMatchObject({ verdict: 'NG', timed_out: false, slow: false, detail: `no connection to port ${port} (ECONNREFUSED)` })
  })

  it('is NG when the other side closes without a word', async () => {
    const port = await serve(socket => socket.end())
    expect(await ask(port)).toMatchObject({ verdict: 'NG' })
  })

  it('is NG when the connection is reset', async () => {
    const port = await serve(socket => socket.resetAndDestroy())
    expect(await ask(port)).toMatchObject({ verdict: 'NG' })
  })

  it('is ERROR when the other side floods, with bounded memory', async () => {
    const port = await serve(socket => {
      const chunk = Buffer.alloc(16 * 1024, 'x')
      const pump = (): void => { while (!socket.destroyed && socket.write(chunk)) { /* until it is full */ } }
      socket.on('drain', pump)
      pump()
    })
    expect(await ask(port)).toMatchObject({ verdict: 'ERROR', detail: 'sent more than 65536 bytes without step 1 /(^|\\n)220 /' })
  })

  it('does not blame the target for time in which this process stood still', async () => {
    const port = await serve(socket => {
      socket.write('220 ready\r\n')
      socket.on('data', () => socket.end('221 bye\r\n'))
    })
    const result = ask(port, SMTP, 100)
    block(300)
    expect(await result).toMatchObject({ verdict: 'OK' })
  })

  it('is called off by its signal and by the stop of the prober', async () => {
    const port = await serve(() => undefined)
    const controller = new AbortController()
    const first = ask(port, SMTP, 60_000, controller.signal)
    controller.abort()
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
    const prober = new SystemProber({ clock, onProblem: () => undefined })
    const second = prober.dialogue('127.0.0.1', { name: 'smtp', port, limit_ms: 60_000, steps: SMTP }, new AbortController().signal)
    const refused = expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    await prober.stop()
    await refused
  })

  it('refuses an expression that does not compile', async () => {
    await expect(ask(1, [{ expect: '(' }])).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })
})
