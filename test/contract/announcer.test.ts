/** The announcements of an address, counted at the other end of a cable. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

const NAMESPACE = `rw-arp-${process.pid}`
const VIP = '192.0.2.10'
const ANNOUNCE = fileURLToPath(new URL('./fixtures/announce.ts', import.meta.url))

const inside = (...args: string[]): string => execFileSync('ip', ['netns', 'exec', NAMESPACE, ...args], { encoding: 'utf8' })

function arrived(): number {
  const [link] = JSON.parse(inside('ip', '-j', '-s', 'link', 'show', 'dev', 'wire1')) as [{ stats64: { rx: { packets: number } } }]
  return link.stats64.rx.packets
}

beforeEach(() => {
  execFileSync('ip', ['netns', 'add', NAMESPACE])
  inside('ip', 'link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', 'wire1')
  // Nothing but ARP is to cross the wire.
  inside('sh', '-c', 'for each in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > "$each"; done')
  inside('ip', 'link', 'set', 'wire0', 'up')
  inside('ip', 'link', 'set', 'wire1', 'up')
  inside('ip', 'addr', 'add', `${VIP}/24`, 'dev', 'wire0')
})

afterEach(() => { execFileSync('ip', ['netns', 'del', NAMESPACE]) })

it('goes on for as long as the host has the address, and says nothing of one that it has lost', async () => {
  const announcing = spawn('ip', ['netns', 'exec', NAMESPACE, process.execPath, '--import', 'tsx', ANNOUNCE, VIP, 'wire0'], { stdio: ['pipe', 'pipe', 'inherit'] })
  let words = ''
  announcing.stdout.setEncoding('utf8').on('data', (text: string) => { words += text })
  try {
    // Both forms, twice at least.
    for (const limit_ms = performance.now() + 30_000; arrived() < 4;) {
      expect(performance.now()).toBeLessThan(limit_ms)
      await pause(20)
    }
    inside('ip', 'addr', 'del', `${VIP}/24`, 'dev', 'wire0')
    const before = arrived()
    await pause(3_000)
    // A process that had begun when the address went may still send the packet it was made for.
    expect(arrived() - before).toBeLessThanOrEqual(2)
    expect(words).toMatch(/^192\.0\.2\.10 was not announced on wire0: .+/)
  } finally {
    announcing.stdin.end()
    await once(announcing, 'exit')
  }
})
