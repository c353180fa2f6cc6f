import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { RingwardError, reasonOf } from '../../errors.ts'

/** Discard, the usual port, and echo, which some boards listen for. */
const PORTS = [9, 7]
/** UDP may be lost, and nobody acknowledges. */
const REPEATS = 3
const REPEAT_INTERVAL_MS = 100
const MAC = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i

/**
 * The magic packet: six bytes 0xff and sixteen times the MAC, 102 bytes.
 * Ten lines of our own: the package `wake_on_lan` (2018) drags in a command-line parser and cannot bind to the device's address,
 * so that on a host with several networks the packet would leave by the wrong one.
 * Throws CONFIGURATION_INVALID for anything but six pairs of hexadecimal digits separated by `:` or `-`.
 */
export function magicPacket(mac: string): Buffer {
  if (!MAC.test(mac)) throw new RingwardError('CONFIGURATION_INVALID', `"${mac}" is not a MAC address; write it like 52:54:00:12:34:56`)
  const address = Buffer.from(mac.replace(/[:-]/g, ''), 'hex')
  return Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)])
}

/** The last address of the subnet, e.g. 10.0.0.255 for 10.0.0.7 and 255.255.255.0. */
export function broadcastAddress(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number)
  return address.split('.').map((part, index) => (Number(part) | (~(mask[index] ?? 255) & 0xff))).join('.')
}

/**
 * Wakes the machine with that MAC (thesis 5.3.1, background job 1): three packets each to the broadcast address of the subnet
 * of `local_address` and to 255.255.255.255, ports 9 and 7, out of the device that holds `local_address`.
 * Resolves when they are sent; whether the machine woke is told by probes alone. Rejects with COMMAND_FAILED when not one
 * packet could be sent, CONFIGURATION_INVALID for a bad MAC or an address this host does not have, or ABORTED.
 */
export async function wake(mac: string, local_address: string, signal: AbortSignal): Promise<void> {
  const packet = magicPacket(mac)
  const own = ownAddress(local_address)
  const targets = new Set([broadcastAddress(own.address, own.netmask), '255.255.255.255'])
  const socket = await bind(local_address)
  try {
    let sent = 0
    let trouble = ''
    for (let round = 0; round < REPEATS; round += 1) {
      if (round > 0) await pause(REPEAT_INTERVAL_MS, signal)
      if (signal.aborted) throw new RingwardError('ABORTED', `waking ${mac} was called off`)
      for (const target of targets) {
        for (const port of PORTS) {
          const error = await send(socket, packet, port, target)
          if (error) trouble = error.message
          else sent += 1
        }
      }
    }
    if (sent === 0) throw new RingwardError('COMMAND_FAILED', `no magic packet for ${mac} left ${local_address}: ${trouble}; look at the network device`)
  } finally {
    socket.close()
  }
}

function ownAddress(local_address: string): NetworkInterfaceInfo {
  const own = Object.values(networkInterfaces()).flatMap(list => list ?? []).find(info => info.family === 'IPv4' && info.address === local_address)
  if (!own) throw new RingwardError('CONFIGURATION_INVALID', `this host does not have the address ${local_address}, from which magic packets are sent`)
  return own
}

function bind(local_address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', error => {
      socket.close()
      reject(new RingwardError('COMMAND_FAILED', `cannot send from ${local_address}: ${reasonOf(error)}`))
    })
    socket.bind({ address: local_address, port: 0, exclusive: true }, () => {
      socket.removeAllListeners('error')
      // A send reports its own failure; what the kernel reports later (no listener) means nothing.
      socket.on('error', () => undefined)
      socket.setBroadcast(true)
      resolve(socket)
    })
  })
}

function send(socket: Socket, packet: Buffer, port: number, target: string): Promise<Error | null> {
  return new Promise(resolve => socket.send(packet, port, target, error => resolve(error)))
}

/** Ends early when called off. */
function pause(duration_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, duration_ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
