import { createSocket, type Socket } from 'node:dgram'
import { WAKE_PORT } from './hosts.ts'

const MAC_BYTES = 6
const REPETITIONS = 16

/** The MAC address a magic packet names: six bytes of ones, then the address sixteen times; undefined for anything else. */
export function magicAddress(packet: Uint8Array): string | undefined {
  if (packet.length < MAC_BYTES * (REPETITIONS + 1)) return undefined
  if (packet.subarray(0, MAC_BYTES).some(byte => byte !== 0xff)) return undefined
  const address = packet.subarray(MAC_BYTES, 2 * MAC_BYTES)
  for (let repetition = 1; repetition < REPETITIONS; repetition += 1) {
    const from = MAC_BYTES * (repetition + 1)
    if (packet.subarray(from, from + MAC_BYTES).some((byte, index) => byte !== address[index])) return undefined
  }
  return [...address].map(byte => byte.toString(16).padStart(2, '0')).join(':')
}

/** Listens on the switch for magic packets: the network card of a machine that is off. Closed by the caller. */
export function listenForWake(onWake: (mac: string, from: string) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.on('message', (packet, from) => {
      const mac = magicAddress(packet)
      if (mac) onWake(mac, from.address)
    })
    socket.bind(WAKE_PORT, () => resolve(socket))
  })
}
