import type { PowerControl } from '../core/inventory.ts'
import type { ServerFile } from './schema.ts'

/** Debian's place for it; the fixed path keeps a changed PATH from deciding what asks for power. */
const IPMITOOL = '/usr/bin/ipmitool'

/** What `[power]` means: whether magic packets help, and the program that asks for the power and switches it. */
export function powerOf(power: ServerFile['power']): PowerControl {
  const wake_on_lan = power?.wake_on_lan ?? true
  if (power?.command) return { wake_on_lan, command: power.command }
  if (!power?.ipmi) return { wake_on_lan }
  const { address, user, password_file } = power.ipmi
  return { wake_on_lan, command: [IPMITOOL, '-I', 'lanplus', '-H', address, '-U', user, '-f', password_file, 'chassis', 'power'] }
}
