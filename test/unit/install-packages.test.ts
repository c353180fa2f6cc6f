import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { run } from '../../src/edges/command.ts'

/** The real script before a played dpkg, apt-get and systemctl, in a root of its own (DPKG_ROOT is where dpkg's own tools look for the policy, too). */
const SCRIPT = resolve('scripts/install-packages')
const LIMIT_MS = 30_000
/** As a maintainer script asks: `postfix` runs, `nginx` is new. */
const ASK = `for question in "nginx start" "nginx.service restart" "--quiet nginx (start)" "nginx stop" "postfix restart"; do
  if [ -x "$DPKG_ROOT/usr/sbin/policy-rc.d" ]; then "$DPKG_ROOT/usr/sbin/policy-rc.d" $question; fi; echo "$question: $?"
done >> "$DPKG_ROOT/answers"`
const DENIED = ['nginx start: 101', 'nginx.service restart: 101', '--quiet nginx (start): 101', 'nginx stop: 0', 'postfix restart: 0']
const ALLOWED = DENIED.map(answer => answer.replace('101', '0'))

let root: string
let policy: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ringward-packages-'))
  policy = join(root, 'usr/sbin/policy-rc.d')
  await mkdir(join(root, 'usr/sbin'), { recursive: true })
  await mkdir(join(root, 'bin'))
  await tool('id', 'echo 0')
  await tool('dpkg-query', 'echo not-installed')
  await tool('systemctl', '[ "$4" = postfix ]')
  await tool('apt-get', ASK)
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function tool(name: string, text: string): Promise<void> {
  await writeFile(join(root, 'bin', name), `#!/bin/sh\n${text}\n`)
  await chmod(join(root, 'bin', name), 0o755)
}

const environment = () => ({ DPKG_ROOT: root, PATH: `${root}/bin:/usr/sbin:/usr/bin:/sbin:/bin` })
const install = () => run(SCRIPT, ['nginx'], { limit_ms: LIMIT_MS, environment: environment() })
const answers = async () => (await readFile(join(root, 'answers'), 'utf8')).trim().split('\n')

it('what is new stays off while it is installed, what runs is restarted as ever, and nothing is left', async () => {
  expect(await install()).toMatchObject({ status: 0, stderr: 'installing from the package registry: nginx\n' })
  expect(await answers()).toEqual(DENIED)
  expect(existsSync(policy)).toBe(false)
})

it('leaves nothing when the packages cannot be installed', async () => {
  await tool('apt-get', 'echo no such package; exit 100')
  expect(await install()).toMatchObject({ status: 1, stderr: expect.stringContaining('no such package') as unknown })
  expect(existsSync(policy)).toBe(false)
})

it('the policy of the administrator stands', async () => {
  await writeFile(policy, '#!/bin/sh\nexit 104\n')
  await chmod(policy, 0o755)
  expect(await install()).toMatchObject({ status: 0 })
  expect(await answers()).toEqual(DENIED.map(answer => answer.replace(/\d+$/, '104')))
  expect(await readFile(policy, 'utf8')).toBe('#!/bin/sh\nexit 104\n')
})

it('one that was killed leaves a policy that forbids nothing, and the next run takes it away', async () => {
  await tool('apt-get', 'kill -KILL $PPID')
  await expect(install()).rejects.toMatchObject({ code: 'COMMAND_FAILED' })
  expect(existsSync(policy)).toBe(true)
  await run('sh', ['-c', ASK], { limit_ms: LIMIT_MS, environment: environment() })
  expect(await answers()).toEqual(ALLOWED)
  await rm(join(root, 'answers'))
  await tool('apt-get', ASK)
  expect(await install()).toMatchObject({ status: 0 })
  expect(await answers()).toEqual(DENIED)
  expect(existsSync(policy)).toBe(false)
})
