import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net'
import type { Connection } from 'ssh2'
import { afterEach, describe, expect, it } from 'vitest'
import { newHandKey } from '../../../src/configuration/hand-key.ts'
import { SystemClock } from '../../../src/edges/clock.ts'
import type { HandTarget } from '../../../src/edges/remote-hand/remote-hand.ts'
import { SshHand } from '../../../src/edges/remote-hand/ssh-hand.ts'
import { startSshServer } from '../../contract/support/ssh-server.ts'

const [hostKey, otherKey, handKey] = [newHandKey(), newHandKey(), newHandKey()]
const clock = new SystemClock()
const signal = new AbortController().signal
const LIMIT_MS = 10_000

interface World { readonly port: number; readonly hand: SshHand; readonly target: HandTarget; readonly connections: readonly Connection[]; readonly commands: string[] }
const endings: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

/** An SSH server that takes the hand's key and answers each command as told; `undefined` is no answer. */
async function world(answer: (command: string, connection: Connection) => string | undefined): Promise<World> {
  const commands: string[] = []
  const { port, connections, close } = await startSshServer({ host: hostKey, hand: handKey }, (command, channel, connection) => {
    commands.push(command)
    const text = answer(command, connection)
    if (text === undefined) return
    channel.stderr.write('a word for the journal\n')
    channel.write(text)
    channel.exit(0)
    channel.end()
  })
  const hand = new SshHand({ clock, private_key: Buffer.from(handKey.private), port })
  endings.push(() => hand.close(), close)
  return { port, hand, connections, commands, target: { name: 'ftp', address: '127.0.0.1', ssh_host_key: hostKey.public } }
}

const GOOD = '{"ok":true,"detail":"done"}\n'

describe('the remote hand over SSH', () => {
  it('sends one command line and reads one line, over one connection', async () => {
    const { hand, target, connections, commands } = await world(() => GOOD)
    expect(await hand.run(target, 'ping', [], LIMIT_MS, signal)).toEqual({ ok: true, detail: 'done' })
    expect(await Promise.all([hand.run(target, 'release', ['ftp', '3'], LIMIT_MS, signal), hand.run(target, 'restart-daemon', ['0'], LIMIT_MS, signal)]))
      .toEqual([{ ok: true, detail: 'done' }, { ok: true, detail: 'done' }])
    expect(commands).toEqual(['ringward-hand ping', 'ringward-hand release ftp 3', 'ringward-hand restart-daemon 0'])
    expect(connections.length).toBe(1)
  })

  it('passes on a refusal', async () => {
    const { hand, target } = await world(() => '{"ok":false,"detail":"refused: not a command"}\n')
    expect(await hand.run(target, 'reboot', [], LIMIT_MS, signal)).toEqual({ ok: false, detail: 'refused: not a command' })
  })

  it.each([hostKey.public.replace('ssh-ed25519', 'ssh-rsa'), otherKey.public, '', 'ssh-ed25519 AAAA'])('refuses a host that does not have the pinned key (%#)', async ssh_host_key => {
    const { hand, target, commands } = await world(() => GOOD)
    const { ok, detail } = await hand.run({ ...target, ssh_host_key }, 'ping', [], LIMIT_MS, signal)
    expect(ok).toBe(false)
    expect(detail).toMatch(/^ftp could not be asked .*the host key is not the one in the configuration/)
    expect(commands).toEqual([])
  })

  it('is refused by a target that does not know its key', async () => {
    const { target, port, commands } = await world(() => GOOD)
    const stranger = new SshHand({ clock, private_key: Buffer.from(otherKey.private), port })
    endings.unshift(() => stranger.close())
    expect(await stranger.run(target, 'ping', [], LIMIT_MS, signal)).toEqual({ ok: false, detail: 'ftp could not be asked for "ringward-hand ping": All configured authentication methods failed' })
    expect(commands).toEqual([])
  })

  it('says so when its own key cannot be read', async () => {
    const { target, port } = await world(() => GOOD)
    const unreadable = new SshHand({ clock, private_key: Buffer.from('no key'), port })
    expect((await unreadable.run(target, 'ping', [], LIMIT_MS, signal)).detail).toMatch(/^ftp could not be asked .*privateKey/)
    await unreadable.close()
  })

  it('sends nothing that could mean something else', async () => {
    const { hand, target, connections } = await world(() => GOOD)
    expect(await hand.run(target, 'release', ['ftp; reboot', '1'], LIMIT_MS, signal)).toMatchObject({ ok: false })
    expect(connections).toEqual([])
  })

  it('gives up at the limit when the command hangs, and does not trust that connection again', async () => {
    let silent = true
    const { hand, target, connections } = await world(() => silent ? undefined : GOOD)
    expect(await hand.run(target, 'ping', [], 300, signal)).toEqual({ ok: false, detail: 'ftp did not answer "ringward-hand ping" within 300 ms' })
    silent = false
    expect(await hand.run(target, 'ping', [], LIMIT_MS, signal)).toMatchObject({ ok: true })
    expect(connections.length).toBe(2)
  })

  it('gives up at the limit when the host accepts and says nothing', async () => {
    const sockets: Socket[] = []
    const silent: TcpServer = createServer(socket => void sockets.push(socket))
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const hand = new SshHand({ clock, private_key: Buffer.from(handKey.private), port: (silent.address() as AddressInfo).port })
    expect(await hand.run({ name: 'ftp', address: '127.0.0.1', ssh_host_key: hostKey.public }, 'ping', [], 200, signal)).toMatchObject({ ok: false })
    await hand.close()
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => silent.close(resolve))
    expect(await new SshHand({ clock, private_key: Buffer.from(handKey.private), port: 1 }).run({ name: 'ftp', address: '127.0.0.1', ssh_host_key: hostKey.public }, 'ping', [], LIMIT_MS, signal))
      .toMatchObject({ ok: false, detail: expect.stringMatching(/ECONNREFUSED/) as string })
  })

  it('connects again when the kept connection is broken', async () => {
    const { hand, target, connections } = await world(() => GOOD)
    await hand.run(target, 'ping', [], LIMIT_MS, signal)
    connections[0]?.end()
    expect(await hand.run(target, 'ping', [], LIMIT_MS, signal)).toMatchObject({ ok: true })
    expect(connections.length).toBe(2)
  })

  it('does not ask twice when the connection breaks before the answer', async () => {
    const { hand, target, commands } = await world((_command, connection) => {
      connection.end()
      return undefined
    })
    expect(await hand.run(target, 'reboot', [], LIMIT_MS, signal)).toMatchObject({ ok: false })
    expect(commands).toEqual(['ringward-hand reboot'])
  })

  it('takes a flood or nonsense for no answer', async () => {
    const { hand, target } = await world(command => command.includes('ping') ? 'x'.repeat(200_000) + '\n' : '\u001b[2Jhello\n')
    expect((await hand.run(target, 'ping', [], LIMIT_MS, signal)).detail).toMatch(/^unreadable answer: "x{80}"$/)
    expect(await hand.run(target, 'reboot', [], LIMIT_MS, signal)).toEqual({ ok: false, detail: 'unreadable answer: "[2Jhello"' })
  })

  it('is called off by its signal and by close', async () => {
    const { hand, target } = await world(() => undefined)
    const controller = new AbortController()
    const first = hand.run(target, 'ping', [], 60_000, controller.signal)
    controller.abort()
    expect(await first).toEqual({ ok: false, detail: 'ringward-hand ping on ftp was called off' })
    const second = hand.run(target, 'ping', [], 60_000, signal)
    await hand.close()
    expect(await second).toMatchObject({ ok: false })
    expect(await hand.run(target, 'ping', [], 60_000, signal)).toMatchObject({ ok: false })
  })
})
