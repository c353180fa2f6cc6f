import { networkInterfaces } from 'node:os'
import { run } from '../edges/command.ts'
import { RingwardError } from '../errors.ts'

export interface HostAddress {
  readonly vip: string
  readonly prefix: number
  readonly device: string
}

/** Addresses of this host with a life the kernel ends by itself (R2). */
export interface AddressControl {
  /** Adds the address or sets its remaining life, in whole seconds. Rejects with COMMAND_FAILED or COMMAND_TIMEOUT. */
  put(address: HostAddress, life_s: number | 'forever'): Promise<void>
  /** Resolves when the address is gone; an absent one is fine. */
  remove(address: HostAddress): Promise<void>
  present(address: HostAddress): boolean
}

/** `ip` takes 2 ms; on a starved host it must not hold up the stop for long (D_gone − D_stop is 800 ms). */
const IP_LIMIT_MS = 500
/** What `ip addr del` says when there is nothing to remove (iproute2 6). */
const ABSENT = /Address not found|Cannot assign requested address|Cannot find device/

export class IpAddressControl implements AddressControl {
  async put({ vip, prefix, device }: HostAddress, life_s: number | 'forever'): Promise<void> {
    await this.ip(['addr', 'replace', `${vip}/${prefix}`, 'dev', device, 'valid_lft', String(life_s), 'preferred_lft', String(life_s)])
  }

  async remove({ vip, prefix, device }: HostAddress): Promise<void> {
    await this.ip(['addr', 'del', `${vip}/${prefix}`, 'dev', device], ABSENT)
  }

  present({ vip, device }: HostAddress): boolean {
    return (networkInterfaces()[device] ?? []).some(({ address }) => address === vip)
  }

  private async ip(args: readonly string[], fine?: RegExp): Promise<void> {
    const { status, stderr } = await run('ip', args, { limit_ms: IP_LIMIT_MS })
    if (status !== 0 && !fine?.test(stderr)) throw new RingwardError('COMMAND_FAILED', `ip ${args.join(' ')} ended with ${status}: ${stderr.trim().slice(0, 200)}`)
  }
}

/** Addresses in memory, for tests. */
export class MemoryAddressControl implements AddressControl {
  readonly lives = new Map<string, number | 'forever'>()
  /** Set to make every change fail. */
  failure: string | undefined

  put(address: HostAddress, life_s: number | 'forever'): Promise<void> {
    return this.change(() => { this.lives.set(address.vip, life_s) })
  }

  remove(address: HostAddress): Promise<void> {
    return this.change(() => { this.lives.delete(address.vip) })
  }

  present(address: HostAddress): boolean {
    return this.lives.has(address.vip)
  }

  private async change(work: () => void): Promise<void> {
    await Promise.resolve()
    if (this.failure !== undefined) throw new RingwardError('COMMAND_FAILED', this.failure)
    work()
  }
}
