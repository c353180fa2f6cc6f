import type { AddressInfo } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'
import type { HandKey } from '../../../src/configuration/hand-key.ts'

export interface TestSshServer {
  readonly port: number
  /** Every connection there ever was, in order. */
  readonly connections: readonly Connection[]
  /** Idempotent. */
  readonly close: () => Promise<void>
}

/** A real SSH server on this machine that lets in whoever has the hand's key; `onExec` plays the commands it is asked for. */
export async function startSshServer(keys: { readonly host: HandKey; readonly hand: HandKey }, onExec: (command: string, channel: ServerChannel, connection: Connection) => void): Promise<TestSshServer> {
  const allowed = ssh2.utils.parseKey(keys.hand.public)
  if (allowed instanceof Error) throw allowed
  const connections: Connection[] = []
  const server = new ssh2.Server({ hostKeys: [keys.host.private] }, connection => {
    connections.push(connection)
    connection.on('error', () => undefined)
    connection.on('authentication', context => {
      if (context.method !== 'publickey' || !context.key.data.equals(allowed.getPublicSSH())) return context.reject(['publickey'])
      if (context.signature && context.blob && !allowed.verify(context.blob, context.signature, context.hashAlgo)) return context.reject()
      context.accept()
    })
    connection.on('session', accept => {
      accept().on('exec', (acceptExec, _reject, { command }) => onExec(command, acceptExec(), connection))
    })
  })
  const port = await new Promise<number>(resolve => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => closing ??= new Promise(resolve => {
    for (const connection of connections) connection.end()
    server.close(() => resolve())
  })
  return { port, connections, close }
}
