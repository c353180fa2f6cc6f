import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { renderServerToml, type ServerText } from '../../src/configuration/ring-writer.ts'
import { ringFiles, serverText, SSH_KEY } from './configuration-ring.ts'

/** A server that is no peer. */
function applianceToml(name: string, number: number, changes: Partial<ServerText> = {}): string {
  const text = renderServerToml({ ...serverText(name, number), agent: false, ...changes })
  return 'peer_id' in changes ? text : text.replace(/^peer_id.*\n/m, '')
}

/** The sound ring with ftp without an agent. */
function withAppliance(changes: Partial<ServerText> = {}): Map<string, string> {
  return ringFiles().set('servers/ftp.toml', applianceToml('ftp', 3, changes))
}
const messagesOf = (files: Map<string, string>): string[] => loadConfiguration(files).problems.map(problem => `${problem.file}: ${problem.message}`)

describe('a server without an agent', () => {
  it('is read, with root and port 22 unless told otherwise', () => {
    const { inventory, problems, warnings } = loadConfiguration(withAppliance())
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] })
    expect(inventory?.servers.map(({ agent }) => agent)).toEqual([true, true, false])
    expect(inventory?.servers[2]).toMatchObject({ remote: { user: 'root', port: 22 }, ssh_host_key: SSH_KEY, peer_id: '' })
    expect(inventory?.servers[0]).not.toHaveProperty('remote')
    expect(loadConfiguration(withAppliance({ remote: { user: 'ringward', port: 2222 } })).inventory?.servers[2]?.remote).toEqual({ user: 'ringward', port: 2222 })
  })

  it('needs its host key, for its word is proof', () => {
    const files = withAppliance()
    files.set('servers/ftp.toml', files.get('servers/ftp.toml')!.replace(/^ssh_host_key.*\n/m, ''))
    expect(messagesOf(files)).toEqual([expect.stringContaining('servers/ftp.toml: a server without an agent needs its SSH host key')])
  })

  it('is no peer, and only such a server is reached by plain SSH', () => {
    expect(messagesOf(withAppliance({ peer_id: serverText('ftp', 3).peer_id ?? '' }))).toEqual([expect.stringContaining('is no peer')])
    expect(messagesOf(withAppliance({ agent: true, remote: {} }))).toEqual([expect.stringContaining('only a server without an agent is reached by plain SSH')])
  })

  it.each(['Root', '-x', 'a b', "x'; reboot", ''])('refuses the account %j', user => {
    expect(messagesOf(withAppliance({ remote: { user } }))).toEqual([expect.stringContaining('is not the name of an account')])
  })

  it('cannot be all there is', () => {
    const files = ringFiles()
    for (const [index, name] of ['mail', 'login', 'ftp'].entries()) files.set(`servers/${name}.toml`, applianceToml(name, index + 1))
    expect(messagesOf(files)).toEqual([expect.stringContaining('no server of the ring has an agent')])
  })
})
