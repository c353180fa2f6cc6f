import { build } from 'esbuild'
import { spawn, type ChildProcess } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { publish } from '../unit/executer/publication-kit.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Only against hanging: everything here takes well under a second on an idle machine. */
const PATIENCE_MS = 20_000

/** Says what happens to it, answers `leave` as the guard does, and has a watchdog that outlives it unless it ends well. */
const GUARD = `
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { appendFileSync, rmSync } from 'node:fs'
const run = process.env.RINGWARD_RUN
const say = text => appendFileSync(run + '/events', 'guard ' + process.pid + ' ' + text + '\\n')
const watchdog = spawn('sleep', ['1000'], { stdio: 'ignore' })
const end = () => { watchdog.kill(); process.exit(0) }
rmSync(run + '/guard.sock', { force: true })
createServer(socket => {
  socket.on('error', () => undefined)
  socket.write(JSON.stringify({ notice: 'problem', text: 'a notice nobody asked for' }) + '\\n')
  socket.on('data', data => {
    const request = JSON.parse(String(data))
    say(request.verb + ' ' + request.standing)
    socket.end(JSON.stringify({ reply: request.request, ok: true }) + '\\n', end)
  })
}).listen(run + '/guard.sock', () => say('started ' + process.argv.slice(2).join(' ') + ' watchdog=' + watchdog.pid))
process.on('SIGTERM', () => { say('SIGTERM'); end() })
console.log('guard says good day')
`

/** Has a child of its own which ends with nobody; on SIGTERM has the guard leave. */
const AGENT = `
import { connect } from 'node:net'
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
const run = process.env.RINGWARD_RUN
const say = text => appendFileSync(run + '/events', 'agent ' + process.pid + ' ' + text + '\\n')
const probe = spawn('sleep', ['1000'])
say('started ' + process.argv.slice(2).join(' ') + ' probe=' + probe.pid)
process.on('SIGTERM', () => {
  say('SIGTERM')
  const socket = connect(run + '/guard.sock', () => socket.write(JSON.stringify({ request: 7, verb: 'leave', standing: 'unmanaged' }) + '\\n'))
  socket.on('close', () => process.exit(0))
  socket.on('error', () => process.exit(1))
  socket.resume()
})
process.on('SIGINT', () => { say('SIGINT'); process.exit(0) })
process.on('SIGHUP', () => say('SIGHUP'))
`

/** \`ringward check DIR\`: refuses a group with the word "wrong" in it. */
const CHECK = `
import { readFileSync } from 'node:fs'
if (process.argv[2] !== 'check') process.exit(2)
if (readFileSync(process.argv[3] + '/group.toml', 'utf8').includes('wrong')) {
  console.error('group.toml:1: unknown key "wrong"; remove it')
  process.exit(1)
}
if (process.argv.includes('--running')) console.log(JSON.stringify({ restart: readFileSync(process.argv[3] + '/group.toml', 'utf8').includes('interval') ? ['the interval changes'] : [] }))
`

/** A host with its own places and a real Executer process on it, whose guard and agent are stand-ins. */
export class ExecuterHost {
  readonly root: string
  readonly share: string
  readonly flag: string
  output = ''
  private executer: ChildProcess | undefined

  private constructor(root: string) {
    this.root = root
    this.share = join(root, 'share')
    this.flag = join(root, 'var', 'flag')
  }

  static async create(): Promise<ExecuterHost> {
    const host = new ExecuterHost(await mkdtemp(join(tmpdir(), 'ringward-executer-')))
    for (const folder of ['etc', 'var', 'run', 'log', 'share', 'installed']) await mkdir(join(host.root, folder))
    await writeFile(join(host.root, 'etc', 'host.toml'), `share = "${host.share}"\ndevice = "lo"\nname = "ftp"\n`)
    await host.install()
    return host
  }

  /** The real Executer and the real share helper. */
  async install(): Promise<void> {
    await build({
      absWorkingDir: ROOT, entryPoints: [{ in: 'executer/executer.ts', out: 'executer' }, { in: 'agent/share-helper.ts', out: 'share-helper' }],
      outdir: join(this.root, 'installed'), outExtension: { '.js': '.mjs' }, bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'error',
    })
  }

  publish(version: string, data: Readonly<Record<string, string>> = {}, more = ''): Promise<void> {
    return publish(this.share, { version, program: { 'share-helper.mjs': '// the installed one is used\n', 'guard.mjs': GUARD, 'agent.mjs': AGENT + more, 'ringward.mjs': CHECK }, data })
  }

  /** A helper that takes requests and never answers: a share that hangs. */
  hangShare(): Promise<void> {
    return writeFile(join(this.root, 'installed', 'share-helper.mjs'), 'process.stdin.resume(); setInterval(() => undefined, 1000)\n')
  }

  start(): void {
    const places = Object.fromEntries(['etc', 'var', 'run', 'log'].map(place => [`RINGWARD_${place.toUpperCase()}`, join(this.root, place)]))
    const executer = spawn(process.execPath, [join(this.root, 'installed', 'executer.mjs')], { env: { PATH: process.env['PATH'], ...places }, stdio: ['ignore', 'pipe', 'pipe'] })
    const take = (text: Buffer): void => { this.output += text.toString() }
    executer.stdout.on('data', take)
    executer.stderr.on('data', take)
    this.executer = executer
  }

  /** Its exit status, or null when a signal ended it. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const executer = this.executer
    if (!executer || executer.exitCode !== null || executer.signalCode !== null) return null
    const ended = new Promise<number | null>(resolve => executer.once('exit', resolve))
    executer.kill(signal)
    return ended
  }

  async flagOn(): Promise<void> {
    await appendFile(this.flag, '')
  }

  async flagOff(): Promise<void> {
    await rm(this.flag)
  }

  /** Takes the flag away, and waits until the Executer has said that management is off: a flag set again sooner would go unnoticed. */
  async managementOff(): Promise<void> {
    const from = this.output.length
    await this.flagOff()
    await this.wait(() => Promise.resolve(/no flag file .*: management is off/.test(this.output.slice(from)) || undefined), 'the end of management')
  }

  /** What guard and agent said so far. */
  async events(): Promise<string[]> {
    return (await readFile(join(this.root, 'run', 'events'), 'utf8').catch(() => '')).split('\n').filter(line => line !== '')
  }

  /** The first event after `after` others that fits; waits for it. */
  async event(pattern: RegExp, after = 0): Promise<string> {
    return this.wait(async () => (await this.events()).slice(after).find(line => pattern.test(line)), String(pattern))
  }

  /** Pids of the newest guard, agent and the agent's own child. */
  async family(after = 0): Promise<{ guard: number; agent: number; probe: number }> {
    const guard = Number((await this.event(/^guard \d+ started/, after)).split(' ')[1])
    const agent = await this.event(/^agent \d+ started/, after)
    return { guard, agent: Number(agent.split(' ')[1]), probe: Number(/probe=(\d+)/.exec(agent)?.[1]) }
  }

  async said(pattern: RegExp): Promise<void> {
    await this.wait(() => Promise.resolve(pattern.test(this.output) || undefined), String(pattern))
  }

  async gone(...pids: number[]): Promise<void> {
    await this.wait(async () => (await Promise.all(pids.map(lives))).some(Boolean) ? undefined : true, `the end of ${pids.join(', ')}`)
  }

  async wait<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
    for (let waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 20) {
      const found = await look()
      if (found !== undefined) return found
      await sleep(20)
    }
    throw new Error(`waited in vain for ${what}; events:\n${(await this.events()).join('\n')}\noutput:\n${this.output}`)
  }

  async destroy(): Promise<void> {
    await this.stop('SIGTERM')
    for (const line of await this.events()) {
      for (const found of line.matchAll(/^\w+ (\d+) started|(?:probe|watchdog)=(\d+)/g)) {
        const pid = Number(found[1] ?? found[2])
        if (await lives(pid)) process.kill(pid, 'SIGKILL')
      }
    }
    await rm(this.root, { recursive: true, force: true })
  }
}

/** A zombie does not live; it waits for its parent's reaping only. */
export async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && !/\) [ZX] /.test(stat)
}
