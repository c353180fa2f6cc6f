import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askBoard } from './board-protocol.ts'
import { cgroupsOf, leaderOf, membersOf } from './cgroups.ts'
import { hostPlaces, type Lab } from './lab.ts'
import { NO_WAKE_FILE } from './power-board.ts'
import { shareState } from './share.ts'

export interface LabStatus {
  readonly schema: 'ringward.lab/1'
  readonly directory: string
  readonly switch_namespace: string
  readonly client_namespace: string
  readonly hosts: readonly HostStatus[]
}

export interface HostStatus {
  readonly name: string
  readonly power: string
  readonly boots: number
  /** Process 1 of the host, seen from outside. */
  readonly leader: number | null
  readonly processes: number
  readonly share: string
  readonly wakes: boolean
  readonly address: string
  readonly vip: string
  readonly port: number
  readonly daemon: string
  readonly mac: string
  /** Addresses on the host's interfaces, VIPs among them. */
  readonly addresses: readonly string[]
}

/** IPv4 addresses of a process's network namespace, loopback left out; empty when it is gone. Cheap: one file. */
export function addressesOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/net/fib_trie`, 'utf8')
    return [...new Set([...text.matchAll(/(\d+\.\d+\.\d+\.\d+)\n\s+\/32 host LOCAL/g)].map(match => match[1] as string))].filter(address => !address.startsWith('127.'))
  } catch {
    return []
  }
}

/** What the lab itself knows of its hosts; what ringward knows is asked with `lab cli HOST -- status`. */
export async function statusOf(lab: Lab): Promise<LabStatus> {
  const { hosts: boards = {} } = await askBoard(lab, { verb: 'state' })
  return {
    schema: 'ringward.lab/1', directory: lab.directory, switch_namespace: lab.switch_namespace, client_namespace: lab.client_namespace,
    hosts: lab.hosts.map(host => {
      const cgroups = cgroupsOf(lab.id, host.name)
      const leader = leaderOf(cgroups)
      return {
        name: host.name, power: boards[host.name]?.power ?? 'off', boots: boards[host.name]?.boots ?? 0, leader: leader ?? null,
        processes: membersOf(cgroups).length, share: shareState(lab, host.name), wakes: !existsSync(join(hostPlaces(lab, host.name).base, NO_WAKE_FILE)),
        address: host.address, vip: host.vip, port: host.port, daemon: host.daemon, mac: host.mac, addresses: leader === undefined ? [] : addressesOf(leader),
      }
    }),
  }
}

export function renderStatus(status: LabStatus): string {
  const rows = status.hosts.map(host => [host.name, host.power, `${host.boots}`, host.share, host.wakes ? '' : 'no-wake', host.address, host.vip, `${host.daemon}:${host.port}`, host.addresses.filter(address => address !== host.address).join(' ')])
  const table = [['host', 'power', 'boots', 'share', '', 'address', 'VIP', 'service', 'holds'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map(row => (row[column] ?? '').length))) ?? []
  return table.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
