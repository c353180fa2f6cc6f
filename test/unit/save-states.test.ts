import { describe, expect, it } from 'vitest'
import { listeningPorts, portsOf } from '../../scripts/guest-image/save-state.ts'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { renderServerToml } from '../../src/configuration/ring-writer.ts'
import { ringFiles, serverText } from './configuration-ring.ts'

describe('a saved state is ready', () => {
  it('when the ports of its own daemons\' probes listen', () => {
    const daemons = [{ name: 'vsftpd', probe: 'ftp' }, { name: 'nginx', probe: 'http' }, { name: 'apache2', probe: 'http' }]
    const { inventory } = loadConfiguration(ringFiles().set('servers/ftp.toml', renderServerToml(serverText('ftp', 3, { daemons }))))
    expect(inventory?.servers.map(portsOf)).toEqual([[25], [25], [21, 80]])
  })

  it('by the kernel\'s tables: sockets that listen, of both families and over UDP, and no others', () => {
    const tables = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0015 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1 0000000000000000 100 0 0 10 0
  10: 0100007F:0050 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1235 1 0000000000000000 20 4 30 10 -1
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  402: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 8801 2 0000000000000000 0
  403: 0100007F:9C40 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 8802 2 0000000000000000 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0C38 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1236 1 0000000000000000 100 0 0 10 0
`
    expect([...listeningPorts(tables)]).toEqual([21, 53, 3128])
    expect(listeningPorts('').size).toBe(0)
  })
})
