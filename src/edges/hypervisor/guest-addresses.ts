import { RingwardError } from '../../errors.ts'
import type { GuestResult } from './guest-agent.ts'
import { checkedAddress } from './qemu-arguments.ts'

/** Runs `ip` with these arguments in the guest. */
export type GuestIp = (args: readonly string[]) => Promise<GuestResult>

const CARD = 'eth0'

export async function addGuestAddress(ip: GuestIp, name: string, address: string, prefix: number): Promise<void> {
  const result = await ip(['address', 'replace', `${checkedAddress(address)}/${prefix}`, 'dev', CARD])
  if (result.status !== 0) throw new RingwardError('GUEST_FAILED', `${name} did not take ${address}: ${result.stderr.trim()}`)
}

export async function dropGuestAddress(ip: GuestIp, name: string, address: string, prefix: number): Promise<void> {
  const result = await ip(['address', 'del', `${checkedAddress(address)}/${prefix}`, 'dev', CARD])
  // An address that is not there is fine; the words are those of busybox and of iproute2.
  if (result.status !== 0 && !/Cannot assign requested address|Address not found/.test(result.stderr)) throw new RingwardError('GUEST_FAILED', `${name} did not give up ${address}: ${result.stderr.trim()}`)
}
