import { z } from 'zod'
import { RingwardError } from '../../errors.ts'
import type { CommandResult } from '../command.ts'

/** `ip` answers in 3 ms. */
const IP_LIMIT_MS = 2_000

/** Runs a program of this host; `run` of command.ts, or a test's. */
export type Runner = (program: string, args: readonly string[], limit_ms: number) => Promise<CommandResult>

const ADDRESSES = z.array(z.object({
  ifname: z.string().optional(),
  addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number().optional() })).optional(),
}))

/** Removes the address from every device of this host and looks again. Resolves with how many were removed; rejects with COMMAND_FAILED when one is left. */
export async function removeAddress(address: string, run: Runner): Promise<number> {
  const held = await holders(address, run)
  for (const { device, prefix } of held) {
    // A lifetime may end between the look and this; the second look decides.
    await run('ip', ['addr', 'del', `${address}/${prefix}`, 'dev', device], IP_LIMIT_MS)
  }
  const left = await holders(address, run)
  if (left.length > 0) throw new RingwardError('COMMAND_FAILED', `${address} is still on ${left.map(({ device }) => device).join(', ')}; remove it there by hand`)
  return held.length
}

async function holders(address: string, run: Runner): Promise<{ readonly device: string; readonly prefix: number }[]> {
  const { status, stdout, stderr } = await run('ip', ['-j', 'addr', 'show'], IP_LIMIT_MS)
  if (status !== 0) throw new RingwardError('COMMAND_FAILED', `ip addr show ended with ${status}: ${stderr.trim()}`)
  // An answer that cannot be read proves nothing: it rejects, and is not taken for "no address".
  return ADDRESSES.parse(JSON.parse(stdout)).flatMap(({ ifname, addr_info }) => (addr_info ?? []).flatMap(info =>
    info.local === address ? [{ device: ifname ?? '', prefix: info.prefixlen ?? 32 }] : []))
}
