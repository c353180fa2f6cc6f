import { createSocket } from 'node:dgram'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** Small services on loopback; `closeAll` ends what was opened. */
export class SmallServices {
  private readonly closers: (() => Promise<unknown>)[] = []

  /** Over TCP; answers with the port. */
  async stream(talk: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      talk(socket.setEncoding('latin1'))
    })
    this.closers.push(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => server.close(resolve))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  /** Over UDP, a character a byte; what `talk` returns is the answer. */
  async datagram(talk: (text: string) => string | undefined): Promise<number> {
    const socket = createSocket('udp4')
    socket.on('message', (bytes, from) => {
      const answer = talk(bytes.toString('latin1'))
      if (answer !== undefined) socket.send(Buffer.from(answer, 'latin1'), from.port, from.address)
    })
    this.closers.push(() => new Promise<void>(resolve => socket.close(resolve)))
    await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
    return socket.address().port
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.closers.splice(0).map(close => close()))
  }
}
