import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { obey, type HandHost } from '../../../src/edges/remote-hand/forced-command.ts'
import { barByGuard } from '../../../src/edges/remote-hand/guard-bar.ts'
import { formatAnswer, formatCommand, parseAnswer, parseCommand } from '../../../src/edges/remote-hand/hand-words.ts'

const VIP = '10.0.0.100'
let folder = ''
let flag_file = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringward-hand-'))
  flag_file = join(folder, 'flag')
})
afterEach(() => rm(folder, { recursive: true }))

describe('the words of a hand', () => {
  it.each([
    ['ringward-hand ping', 'ping', []],
    ['ringward-hand restart-daemon 0', 'restart-daemon', ['0']],
    ['ringward-hand restart-daemon 12', 'restart-daemon', ['12']],
    ['ringward-hand release web1 7', 'release', ['web1', '7']],
    ['ringward-hand reboot', 'reboot', []],
    ['ringward-hand flag-on', 'flag-on', []],
    ['ringward-hand flag-off', 'flag-off', []],
  ])('takes "%s"', (original, verb, args) => {
    expect(parseCommand(original)).toEqual({ verb, args })
    expect(formatCommand(verb as 'ping', args)).toBe(original)
  })

  it.each([
    undefined, '', 'ping', 'ringward-hand', 'ringward-hand ', 'ringward-hand  ping', ' ringward-hand ping', 'ringward-hand ping ', 'ringward-hand ping\n',
    'ringward-hand ping; reboot', 'ringward-hand ping && reboot', 'ringward-hand ping\nreboot', 'ringward-hand $(reboot)', 'ringward-hand `reboot`',
    'ringward-hand PING', 'ringward-hand toString', 'ringward-hand __proto__', 'ringward-hand constructor', 'ringward-hand shell', 'ringward-handping', '/bin/ringward-hand ping', 'bash -c ringward-hand ping',
    'ringward-hand restart-daemon', 'ringward-hand restart-daemon sshd', 'ringward-hand restart-daemon -1', 'ringward-hand restart-daemon 1e1', 'ringward-hand restart-daemon 100', 'ringward-hand restart-daemon 00', 'ringward-hand restart-daemon 1 2',
    'ringward-hand release ftp', 'ringward-hand release ftp 0', 'ringward-hand release ftp 1 2', 'ringward-hand release ../ftp 1', 'ringward-hand release -ftp 1', 'ringward-hand release ftp|x 1', 'ringward-hand release ftp 1;2', 'ringward-hand release FTP 1', 'ringward-hand release ftp 9999999999999999',
    `ringward-hand release ${'a'.repeat(65)} 1`, 'ringward-hand flag-on /etc/passwd', 'ringward-hand reboot --force', 'ringward-hand\tping', 'ringward-hand ping\0',
  ])('refuses %j', original => {
    expect(parseCommand(original)).toBeUndefined()
  })

  it('sends no argument that a shell could read otherwise', () => {
    for (const arg of ['', 'a b', '$x', '`x`', 'a;b', "a'b", 'a/b', 'a\nb', 'a*', 'x'.repeat(65)]) expect(formatCommand('release', [arg, '1'])).toBeUndefined()
    expect(formatCommand('release', ['a', 'b', 'c'])).toBeUndefined()
    expect(formatCommand('toString' as 'ping', [])).toBeUndefined()
  })

  it('answers in one line, and reads nothing else as an answer', () => {
    const line = formatAnswer({ ok: false, detail: 'two\nlines \u001b[31m' })
    expect(line).toBe('{"ok":false,"detail":"two lines [31m"}\n')
    expect(parseAnswer(line)).toEqual({ ok: false, detail: 'two lines [31m' })
    for (const text of ['', 'ok', '{"ok":"yes","detail":""}', '{"ok":true}', 'null', '{"ok":true,"detail":"x"}\n{"ok":true,"detail":"x"}\n']) expect(parseAnswer(text).ok).toBe(false)
  })
})

describe('the forced command', () => {
  const ran: string[] = []
  let statuses: Record<string, number> = {}
  let addresses: { ifname: string; addr_info: { local: string; prefixlen: number }[] }[] = []
  let barred: string[] = []
  beforeEach(async () => {
    ran.length = 0
    statuses = {}
    addresses = [{ ifname: 'host0', addr_info: [{ local: '10.0.0.3', prefixlen: 24 }, { local: VIP, prefixlen: 24 }] }]
    barred = []
    await writeFile(flag_file, '')
  })

  function host(changes: Partial<HandHost> = {}): HandHost {
    return {
      daemons: () => Promise.resolve(['vsftpd', '--system']),
      ownVip: name => Promise.resolve(name === 'ftp' ? VIP : undefined),
      bar: (name, epoch) => {
        barred.push(`${name} ${epoch}`)
        return Promise.resolve()
      },
      run: (program, args) => {
        const line = [program, ...args].join(' ')
        ran.push(line)
        const status = statuses[line] ?? 0
        if (line.startsWith('ip addr del') && status === 0) for (const device of addresses) device.addr_info = device.addr_info.filter(info => info.local !== VIP)
        const stdout = line === 'ip -j addr show' ? JSON.stringify(addresses) : line.startsWith('systemctl is-active') ? (status === 0 ? 'active\n' : 'failed\n') : ''
        return Promise.resolve({ status, stdout, stderr: status === 0 ? '' : 'went wrong' })
      },
      flag_file, ...changes,
    }
  }

  it('refuses what is no command, and runs nothing', async () => {
    expect(await obey('ringward-hand ping; reboot', host())).toEqual({ ok: false, detail: 'refused: not a command of the remote hand' })
    expect(await obey(undefined, host())).toMatchObject({ ok: false })
    expect(ran).toEqual([])
  })

  it('tells who it is and which boot', async () => {
    const { ok, detail } = await obey('ringward-hand ping', host())
    expect(ok).toBe(true)
    expect(detail).toMatch(/^host=\S+ boot_id=[0-9a-f-]{36} uptime_s=\d+\.\d\d$/)
  })

  it('restarts the daemon of that number and looks whether it runs', async () => {
    expect(await obey('ringward-hand restart-daemon 0', host())).toEqual({ ok: true, detail: 'vsftpd is active after a restart' })
    expect(ran).toEqual(['systemctl reset-failed -- vsftpd', 'systemctl restart -- vsftpd', 'systemctl is-active -- vsftpd'])
    statuses['systemctl is-active -- vsftpd'] = 3
    expect(await obey('ringward-hand restart-daemon 0', host())).toEqual({ ok: false, detail: 'vsftpd is failed after a restart' })
    statuses['systemctl restart -- vsftpd'] = 1
    expect(await obey('ringward-hand restart-daemon 0', host())).toEqual({ ok: false, detail: 'vsftpd did not start: went wrong' })
  })

  it('restarts nothing the configuration does not name properly', async () => {
    for (const number of [1, 2, 99]) expect(await obey(`ringward-hand restart-daemon ${number}`, host())).toMatchObject({ ok: false })
    expect(ran).toEqual([])
  })

  it('releases: bars the epoch, removes the VIP and looks again', async () => {
    expect(await obey('ringward-hand release ftp 3', host())).toEqual({ ok: true, detail: `${VIP} is not on this host (epoch 3 is barred, 1 removed by hand)` })
    expect(barred).toEqual(['ftp 3'])
    expect(ran).toEqual(['ip -j addr show', `ip addr del ${VIP}/24 dev host0`, 'ip -j addr show'])
    expect(await obey('ringward-hand release ftp 3', host())).toEqual({ ok: true, detail: `${VIP} is not on this host (epoch 3 is barred, 0 removed by hand)` })
  })

  it('does not say released when it is not proven', async () => {
    statuses[`ip addr del ${VIP}/24 dev host0`] = 2
    expect(await obey('ringward-hand release ftp 3', host())).toMatchObject({ ok: false, detail: `release failed: ${VIP} is still on host0; remove it there by hand` })
    statuses = { 'ip -j addr show': 1 }
    expect(await obey('ringward-hand release ftp 3', host())).toMatchObject({ ok: false })
    expect(await obey('ringward-hand release ftp 3', host({ run: () => Promise.resolve({ status: 0, stdout: 'what', stderr: '' }) }))).toMatchObject({ ok: false })
    expect(await obey('ringward-hand release ftp 3', host({ bar: () => Promise.reject(new Error('hangs')) }))).toEqual({ ok: false, detail: 'release failed: hangs' })
    expect(await obey('ringward-hand release mail 3', host())).toEqual({ ok: false, detail: "refused: mail is not this host's own function" })
  })

  it('reboots, by force when the service manager is broken', async () => {
    expect(await obey('ringward-hand reboot', host())).toEqual({ ok: true, detail: 'reboots' })
    statuses['systemctl reboot'] = 1
    expect(await obey('ringward-hand reboot', host())).toEqual({ ok: true, detail: 'reboots by force (went wrong)' })
    expect(ran).toEqual(['systemctl reboot', 'systemctl reboot', 'systemctl reboot --force'])
    statuses['systemctl reboot --force'] = 1
    expect(await obey('ringward-hand reboot', host())).toMatchObject({ ok: false })
  })

  it('creates and removes the flag file; without it the host is left alone', async () => {
    for (let turn = 0; turn < 2; turn += 1) expect(await obey('ringward-hand flag-off', host())).toMatchObject({ ok: true })
    expect(existsSync(flag_file)).toBe(false)
    for (const words of ['restart-daemon 0', 'release ftp 1', 'reboot']) {
      expect(await obey(`ringward-hand ${words}`, host())).toEqual({ ok: false, detail: 'refused: this host has no flag file and is not managed' })
    }
    expect(ran).toEqual([])
    for (let turn = 0; turn < 2; turn += 1) expect(await obey('ringward-hand flag-on', host())).toMatchObject({ ok: true })
    expect(existsSync(flag_file)).toBe(true)
  })
})

describe('barring by the guard', () => {
  let server: Server | undefined
  afterEach(() => new Promise<void>(resolve => {
    if (server?.listening) server.close(() => resolve())
    else resolve()
  }))

  async function guard(answer: string): Promise<string> {
    const path = join(folder, 'guard.sock')
    server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.write('{"notice":"problem","text":"first"}\n')
      socket.on('data', data => {
        expect(JSON.parse(data.toString())).toEqual({ request: 1, verb: 'bar', function: 'ftp', epoch: 3 })
        if (answer === '') socket.destroy()
        else socket.write(`${answer}\n`)
      })
    })
    await new Promise<void>(resolve => server?.listen(path, resolve))
    return path
  }

  it('is done when the guard says so', async () => {
    await expect(barByGuard(await guard('{"reply":1,"ok":true}'), 'ftp', 3)).resolves.toBeUndefined()
  })
  it('is refused with its reason', async () => {
    await expect(barByGuard(await guard('{"reply":1,"ok":false,"reason":"no"}'), 'ftp', 3)).rejects.toMatchObject({ code: 'GUARD_REFUSED', message: 'the guard did not give up ftp: no' })
  })
  it('is unknown when the guard closes or is silent', async () => {
    const path = await guard('')
    await expect(barByGuard(path, 'ftp', 3)).rejects.toMatchObject({ code: 'GUARD_UNREACHABLE' })
  })
  it('is unknown when the guard does not answer in time', async () => {
    await expect(barByGuard(await guard('{"reply":2,"ok":true}'), 'ftp', 3)).rejects.toMatchObject({ code: 'GUARD_UNREACHABLE' })
  })
  it('is not done where no guard runs: its successor would put the VIP back', async () => {
    await expect(barByGuard(join(folder, 'nothing.sock'), 'ftp', 3)).rejects.toMatchObject({ code: 'GUARD_UNREACHABLE', message: expect.stringContaining('does not run') as string })
  })
})
