import type { AddressControl, HostAddress } from './address-control.ts'

interface Slot {
  wish: number
  turn: Promise<void>
}

/** Removal is repeated this often, with this pause; afterwards the kernel's lifetime and the watchdog are left. */
const REMOVE_TRIES = 10
const REMOVE_PAUSE_MS = 200

export function addressKey({ vip, prefix, device }: HostAddress): string {
  return `${vip}/${prefix} dev ${device}`
}

/** One change of an address at a time, in order: a renewal that is still on its way must not bring a removed address back. */
export class AddressKeeper {
  private readonly control: AddressControl
  private readonly slots = new Map<string, Slot>()

  constructor(control: AddressControl) {
    this.control = control
  }

  present(address: HostAddress): boolean {
    return this.control.present(address)
  }

  /** `life` is asked at the last moment; undefined, or a newer wish for the address, means that nothing is done. */
  put(address: HostAddress, life: () => number | 'forever' | undefined): Promise<void> {
    return this.change(address, async isNewest => {
      const life_s = isNewest() ? life() : undefined
      if (life_s !== undefined) await this.control.put(address, life_s)
    })
  }

  remove(address: HostAddress): Promise<void> {
    return this.change(address, async isNewest => {
      for (let tries = 1; isNewest(); tries++) {
        try {
          return await this.control.remove(address)
        } catch (error) {
          if (tries >= REMOVE_TRIES) throw error
          await new Promise(resolve => setTimeout(resolve, REMOVE_PAUSE_MS))
        }
      }
    })
  }

  private change(address: HostAddress, work: (isNewest: () => boolean) => Promise<void>): Promise<void> {
    const key = addressKey(address)
    const slot = this.slots.get(key) ?? { wish: 0, turn: Promise.resolve() }
    this.slots.set(key, slot)
    const wish = ++slot.wish
    const mine = slot.turn.then(() => work(() => slot.wish === wish))
    slot.turn = mine.catch(() => undefined)
    return mine
  }
}
