import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/configuration/load.ts'
import { formatProblem } from '../../src/configuration/problem.ts'
import { changed, PEER_IDS, ringFiles, SSH_KEY } from './configuration-ring.ts'

/** The problems as the user sees them. */
function problemsOf(files: ReadonlyMap<string, string>): string[] {
  const { inventory, problems } = loadConfiguration(files)
  expect(inventory === undefined).toBe(problems.length > 0)
  return problems.map(formatProblem)
}

function warningsOf(files: ReadonlyMap<string, string>): string[] {
  const { problems, warnings } = loadConfiguration(files)
  expect(problems).toEqual([])
  return warnings.map(formatProblem)
}

const MAIL = 'servers/mail.toml'

describe('a sound configuration', () => {
  it('becomes a frozen inventory in the order of the ring', () => {
    const { inventory, problems, warnings } = loadConfiguration(ringFiles({ servers: ['login', 'ftp', 'mail'], interval: '500ms', prefix_length: 26, gateway: '192.0.2.1' }), { version: '7' })
    expect([problems, warnings]).toEqual([[], []])
    expect(inventory).toMatchObject({ version: '7', profile: 'default', interval_ms: 500, prefix_length: 26, gateway: '192.0.2.1', peer_port: 7710 })
    expect(loadConfiguration(ringFiles()).inventory).toMatchObject({ prefix_length: 24 })
    expect(loadConfiguration(ringFiles()).inventory).not.toHaveProperty('gateway')
    expect(inventory?.servers.map(server => server.name)).toEqual(['login', 'ftp', 'mail'])
    expect(inventory?.servers[2]).toEqual({
      name: 'mail', agent: true, host: 'mail1', address: '192.0.2.11', mac: '52:54:00:00:00:11', vip: '192.0.2.21', vip_prefix: 24, type: 'CPU',
      daemons: [{ name: 'postfix', probe: expect.objectContaining({ name: 'smtp', port: 25, limit_ms: 3000 }) }],
      virtual_server: { name: 'mail-v', address: '192.0.2.31', memory_mb: 512, cpus: 1, image: 'mail', standby: 'saved', stateless: true },
      hypervisor: 'qemu', priority: 100, return: 'automatic', reboot_limit_ms: 88_000, power: { wake_on_lan: true }, peer_id: PEER_IDS['mail'], ssh_host_key: SSH_KEY,
    })
    expect(Object.isFrozen(inventory?.servers[0]?.virtual_server)).toBe(true)
  })

  it('rides by the promises of all unless the group says otherwise', () => {
    const riding = (word: string): ReturnType<typeof loadConfiguration> => loadConfiguration(changed('group.toml', /^/, `ride = "${word}"\n`))
    expect(riding('majority').inventory).toMatchObject({ ride: 'majority' })
    expect(riding('all').inventory).toEqual(loadConfiguration(ringFiles()).inventory)
    expect(riding('most').problems.map(({ message }) => message)).toEqual([expect.stringContaining('Write "all" or "majority"')])
  })

  it('takes a probe of its own before a built-in one of the same name', () => {
    const files = ringFiles().set('probes/smtp.toml', 'port = 2525\nlimit = "500ms"\n[[steps]]\nexpect = "^220 "\nsend = "QUIT\\r\\n"\n')
    expect(loadConfiguration(files).inventory?.servers[0]?.daemons[0]?.probe)
      .toEqual({ name: 'smtp', port: 2525, limit_ms: 500, steps: [{ expect: '^220 ', send: 'QUIT\r\n' }] })
  })

  it('takes identities from identities/, and from the server\'s own file first', () => {
    const files = changed(MAIL, /peer_id.*\n/, '')
    const other = `12D3KooW${'d'.repeat(44)}`
    const identity = JSON.stringify({ schema: 'ringward.identity/1', peer_id: other, ssh_host_key: SSH_KEY })
    files.set('identities/mail.json', identity).set('identities/ftp.json', identity.replace(other, `12D3KooW${'e'.repeat(44)}`))
    const servers = loadConfiguration(files).inventory?.servers
    expect(servers?.map(server => server.peer_id)).toEqual([other, PEER_IDS['login'], PEER_IDS['ftp']])
  })
})

describe('bad input is refused with its place and what to do', () => {
  const cases: readonly [string, ReadonlyMap<string, string>, string][] = [
    ['prefix length of no segment', ringFiles({ prefix_length: 32 }), 'group.toml:2:1: prefix_length = 32 is'],
    ['unknown key, near a known one', changed(MAIL, 'vip =', 'vipp ='), 'servers/mail.toml:4:1: unknown key "vipp". Did you mean "vip"?'],
    ['missing VIP', changed(MAIL, /vip = .*\n/, ''), 'servers/mail.toml:1:1: vip is missing. Write the virtual IP with its prefix length, for example vip = "192.0.2.21/24".'],
    ['VIP without prefix length', changed(MAIL, '.21/24', '.21'), 'servers/mail.toml:4:1: vip = "192.0.2.21" has no prefix length. Write the virtual IP with its prefix length, for example vip = "192.0.2.21/24".'],
    ['VIP that is the broadcast address', changed(MAIL, '.21/24', '.255/24'), 'servers/mail.toml:4:1: vip = "192.0.2.255/24" is the network or broadcast address of its own network.'],
    ['duplicate address', changed(MAIL, '192.0.2.31', '192.0.2.12'), 'servers/login.toml:2:1: 192.0.2.12 is the address (IPR) of login, but already the address (IPV) of mail\'s virtual server at servers/mail.toml:'],
    ['duplicate VIP', changed('servers/ftp.toml', '.23/24', '.21/24'), 'servers/ftp.toml:4:1: 192.0.2.21 is the VIP of ftp, but already the VIP of mail at servers/mail.toml:4.'],
    ['bad MAC', changed(MAIL, '52:54:00:00:00:11', '52-54-00'), 'servers/mail.toml:3:1: mac = "52-54-00" is not a MAC address: six pairs'],
    ['MAC of a group', changed(MAIL, '52:54', '53:54'), 'servers/mail.toml:3:1: mac = "53:54:00:00:00:11" is not the address of a network card.'],
    ['unknown probe', changed(MAIL, '"smtp"', '"smpt"'), 'servers/mail.toml:11:1: probe "smpt" is not known. Did you mean "smtp"? Known are dns, ftp, http, http-proxy, imap, pop3, smtp, ssh; write probes/NAME.toml'],
    ['group naming an absent server', ringFiles({ servers: ['mail', 'login', 'web', 'ftp'] }), 'group.toml:1:30: the group names "web", but there is no servers/web.toml. Write that file, or remove the name.'],
    ['empty group', ringFiles({ servers: [] }), 'group.toml:1:1: servers is empty. Write the names of the servers in the order of the ring, for example'],
    ['group without servers', ringFiles().set('group.toml', 'profile = "fast"\n'), 'group.toml:1:1: servers is missing. Write the names'],
    ['no group', new Map([...ringFiles()].slice(1)), 'group.toml:1: the file is missing. Run "ringward init"'],
    ['server named twice', ringFiles({ servers: ['mail', 'login', 'ftp', 'mail'] }), 'group.toml:1:37: "mail" stands in the ring twice, first at line 1. Remove one.'],
    ['bad name in the group', ringFiles({ servers: ['mail', 'login', 'ftp', '-rf'] }), 'group.toml:1:37: servers 4 = "-rf" is not a name: only a-z, 0-9 and "-", at most 63, the first not "-". Write names'],
    ['syntax error', changed(MAIL, 'type = "CPU"', 'type = CPU'), 'servers/mail.toml:5:8: this is not valid TOML: '],
    ['bad duration', ringFiles({ interval: '1 second' }), 'group.toml:2:1: interval = "1 second" is not a duration: a number and its unit ms, s, m or h. Write'],
    ['duration out of range', ringFiles({ interval: '1ms' }), 'group.toml:2:1: interval = "1ms" is out of range: from 100ms to 10m.'],
    ['unit with a dash in front', changed(MAIL, '"postfix"', '"--now"'), 'name = "--now" is not the name of a systemd unit'],
    ['unit that is no service', changed(MAIL, '"postfix"', '"multi-user.target"'), 'is not a service: ringward restarts services only.'],
    ['wrong type', changed(MAIL, '512', '"512"'), 'virtual_server.memory_mb = "512" is text, not a number. Write its memory in MB as a whole number'],
    ['unknown word', changed(MAIL, '"CPU"', '"GPU"'), 'servers/mail.toml:5:1: type = "GPU" is not one of the words known here. Write what the function leans on most'],
    ['standby that comes later', changed(MAIL, '[virtual_server]', '[virtual_server]\nstandby = "warm"'), 'virtual_server.standby = "warm" comes with a later version. Write "saved" or "cold".'],
    ['state that comes later', changed(MAIL, '[virtual_server]', '[virtual_server]\nstateless = false'), 'virtual_server.stateless = false comes with a later version: every start has a fresh disk.'],
    ['missing table', changed(MAIL, /\[virtual_server\][^[]*/, ''), 'virtual_server is missing. Write a [virtual_server] table'],
    ['same host name', changed('servers/login.toml', '"login1"', '"mail1"'), 'servers/login.toml:1:1: mail1 is the host name of login, but already the host name of mail at servers/mail.toml:1.'],
    ['same identity', changed('servers/login.toml', /12D3KooWb+/, PEER_IDS['mail'] ?? ''), 'is the peer identity of login, but already the peer identity of mail at servers/mail.toml:'],
    ['bad identity', changed(MAIL, /12D3KooWa+/, 'QmStranger'), 'peer_id = "QmStranger" is not a peer identity'],
    ['broken identity file', ringFiles().set('identities/mail.json', '[]'), 'identities/mail.json:1: this is not a JSON object. Run "ringward join" on that host again.'],
    ['unknown path', ringFiles().set('servers/../x.toml', ''), 'servers/../x.toml:1: this path does not belong to the configuration.'],
  ]
  it.each(cases)('%s', (_, files, message) => {
    const problems = problemsOf(files)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(message)
  })

  it('a virtual server larger than any host that could run it', () => {
    const files = changed(MAIL, 'type =', 'memory_mb = 65536\ntype =')
    expect(problemsOf(files)).toEqual([])
    for (const name of ['login', 'ftp']) files.set(`servers/${name}.toml`, `memory_mb = ${name === 'ftp' ? 256 : 300}\n${files.get(`servers/${name}.toml`) ?? ''}`)
    expect(problemsOf(files)).toEqual([
      expect.stringMatching(/^servers\/mail\.toml:\d+:1: the virtual server wants 512 MB, more than any host that could run it has: the largest is login with 300 MB\. Make/),
    ])
  })

  it('a profile the measured share is too slow for', () => {
    const { problems } = loadConfiguration(ringFiles({ profile: 'fast' }), { share_write_ms: 200 })
    expect(problems.map(formatProblem)[0]).toMatch(/^group\.toml:2:1: profile "fast" is not safe here: 3 × .* Choose a slower profile/)
  })

  it('several at once, sorted, and none hides another', () => {
    const files = changed(MAIL, '"CPU"', '"GPU"')
    files.set(MAIL, (files.get(MAIL) ?? '').replace('.11', '.12').replace('"smtp"', '"pop"')).set('servers/ftp.toml', 'x')
    expect(problemsOf(files).map(problem => problem.split(' ')[0])).toEqual(['servers/ftp.toml:1:1:', 'servers/login.toml:2:1:', 'servers/mail.toml:5:1:', expect.stringMatching(/^servers\/mail\.toml:/)])
  })
})

describe('probes', () => {
  const probe = (expression: string) => ringFiles().set('probes/own.toml', `port = 1\n\n[[steps]]\nexpect = '${expression}'\n`)

  it.each(['^220 ', '(^|\\n)250[ -]', 'OK|READY', '^HTTP/1\\.[01] [23]\\d\\d', '^.*ready.*$', '(?:ab)+', 'x{2,5}', '[(+*]+x?'])('accepts %s', expression => {
    expect(problemsOf(probe(expression))).toEqual([])
  })

  it.each([
    ['(220', 'is not a regular expression'], ['', 'is empty'], ['(a+)+$', 'repeats a group'], ['(a|a)*b', 'repeats a group'], ['((ab?)c){2,}', 'repeats a group'],
    ['(a)\\1', 'back reference'], ['(?<q>a)\\k<q>', 'back reference'], ['a{1,5000}', 'more than 100 times'], ['.*.*.*.*', 'more than 3 unbounded'], ['x'.repeat(201), 'longer than 200'],
  ])('refuses %s', (expression, reason) => {
    expect(problemsOf(probe(expression))).toEqual([expect.stringMatching(/^probes\/own\.toml:4:1: steps 1: expect/)])
    expect(problemsOf(probe(expression))[0]).toContain(reason)
  })

  it('refuses to send what is not one byte a character', () => {
    expect(problemsOf(ringFiles().set('probes/own.toml', 'port = 1\n[[steps]]\nsend = "é€"\n'))).toEqual([expect.stringMatching(/^probes\/own\.toml:3:1: steps 1: send = "é€" has characters beyond one byte\. Write the text to send/)])
  })

  it('over UDP: speaks first and ends with an answer', () => {
    const own = (text: string) => ringFiles().set('probes/own.toml', `port = 53\n${text}`)
    expect(problemsOf(own('transport = "udp"\n[[steps]]\nsend = "\\u0000\\u00ff"\n[[steps]]\nexpect = \'^\\x80\'\n'))).toEqual([])
    expect(problemsOf(own('transport = "sctp"\n[[steps]]\nsend = "a"\n'))).toEqual(['probes/own.toml:2:1: transport = "sctp" is not one of the words known here. Write "tcp" or "udp".'])
    expect(problemsOf(own('transport = "udp"\n[[steps]]\nexpect = "a"\nsend = "b"\n[[steps]]\nexpect = "c"\n')))
      .toEqual([expect.stringMatching(/^probes\/own\.toml:3:1: steps 1 waits for an answer before anything is sent, .* begin with a step that only sends\./)])
    expect(problemsOf(own('transport = "udp"\n[[steps]]\nsend = "a"\n')))
      .toEqual([expect.stringMatching(/^probes\/own\.toml:3:1: steps 1 waits for no answer, .* end with a step that expects\./)])
  })

  it('refuses a step that says nothing, and a dialogue without steps', () => {
    expect(problemsOf(ringFiles().set('probes/own.toml', 'port = 1\n[[steps]]\n'))[0]).toContain('probes/own.toml:2:1: steps 1 says nothing. Write expect, send, or both')
    expect(problemsOf(ringFiles().set('probes/own.toml', 'port = 1\n'))[0]).toContain('probes/own.toml:1:1: steps is missing.')
  })
})

describe('warnings', () => {
  it('says which host cannot join', () => {
    expect(warningsOf(changed(MAIL, /peer_id.*\n/, ''))).toEqual(['servers/mail.toml:1:1: peer_id is missing, so this host cannot join. Run "ringward join" on mail1, then "ringward publish".'])
  })

  it('names files nothing uses, whose mistakes do not stop the ring', () => {
    const files = ringFiles().set('servers/old.toml', 'vipp = 1\naddress = "192.0.2.11"\n').set('identities/older.json', JSON.stringify({ peer_id: PEER_IDS['mail'], ssh_host_key: SSH_KEY }))
    const warnings = warningsOf(files)
    expect(warnings).toContain('servers/old.toml:1: "old" is not in the ring. Add it to servers in group.toml, or remove the file.')
    expect(warnings).toContain('identities/older.json:1: "older" is not in the ring. Add it to servers in group.toml, or remove the file.')
  })

  it('says that a host nobody can switch on waits for a person', () => {
    const files = changed(MAIL, '[virtual_server]', '[power]\nwake_on_lan = false\n\n[virtual_server]')
    expect(warningsOf(files)).toEqual([expect.stringContaining('nothing can switch this host on again')])
  })

  it('a ring of one has no watcher', () => {
    const files = new Map([...ringFiles({ servers: ['mail'] })].slice(0, 2))
    expect(warningsOf(files)).toEqual([expect.stringContaining('a ring of one has nobody to watch it')])
  })
})

describe('whatever the text', () => {
  it('loading answers, and never throws', () => {
    fc.assert(fc.property(fc.constantFrom('group.toml', MAIL, 'probes/x.toml', 'identities/mail.json'), fc.nat(400), fc.string({ maxLength: 12 }), (file, at, piece) => {
      const files = ringFiles()
      const text = files.get(file) ?? 'port = 1\n[[steps]]\nsend = "x"\n'
      files.set(file, text.slice(0, at) + piece + text.slice(at + piece.length))
      for (const problem of loadConfiguration(files).problems) expect(problem.line).toBeGreaterThan(0)
    }), { numRuns: 300 })
  })
})
