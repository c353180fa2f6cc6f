import { renderGroupToml, renderServerToml, type GroupText, type ServerText } from '../../src/configuration/ring-writer.ts'

/** A sound ring for tests; a test then breaks one thing in it. */
export const PEER_IDS: Readonly<Record<string, string>> = {
  mail: `12D3KooW${'a'.repeat(44)}`, login: `12D3KooW${'b'.repeat(44)}`, ftp: `12D3KooW${'c'.repeat(44)}`,
}
export const SSH_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)}`

export function serverText(name: string, number: number, changes: Partial<ServerText> = {}): ServerText {
  return {
    host: `${name}1`, address: `192.0.2.${10 + number}`, mac: `52:54:00:00:00:${String(10 + number)}`, vip: `192.0.2.${20 + number}/24`, type: 'CPU',
    daemons: [{ name: 'postfix', probe: 'smtp' }],
    virtual_server: { name: `${name}-v`, address: `192.0.2.${30 + number}`, memory_mb: 512, image: name },
    peer_id: PEER_IDS[name] ?? '', ssh_host_key: SSH_KEY, ...changes,
  }
}

export function ringFiles(group: Partial<GroupText> = {}): Map<string, string> {
  return new Map([
    ['group.toml', renderGroupToml({ servers: ['mail', 'login', 'ftp'], ...group })],
    ...['mail', 'login', 'ftp'].map((name, index): [string, string] => [`servers/${name}.toml`, renderServerToml(serverText(name, index + 1))]),
  ])
}

/** The ring with one piece of one file replaced; fails when the piece is not there. */
export function changed(file: string, from: string | RegExp, to: string): Map<string, string> {
  const files = ringFiles()
  const before = files.get(file) ?? ''
  const after = before.replace(from, to)
  if (after === before) throw new Error(`nothing to change in ${file}`)
  return files.set(file, after)
}
