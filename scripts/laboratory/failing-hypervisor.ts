import { cgroupsOf, membersOf } from './cgroups.ts'
import { isMachine } from './evidence.ts'
import { runInside, runInsideOrFail } from './exec.ts'
import type { Lab } from './lab.ts'
import { argumentsOf } from './processes.ts'

const QEMU = '/usr/bin/qemu-system-x86_64'

/** Every virtual server on the host ends and none starts any more, whatever would run it: QEMU's program gives way to one that fails. */
export async function failMachines(lab: Lab, host: string): Promise<number> {
  // Over the file, not instead of it: the hosts share it, and a reboot heals.
  if (!await isFailing(lab, host)) await runInsideOrFail(lab, host, ['mount', '--bind', '/bin/false', QEMU])
  const machines = membersOf(cgroupsOf(lab.id, host)).filter(pid => isMachine(argumentsOf(pid)))
  for (const pid of machines) process.kill(pid, 'SIGKILL')
  return machines.length
}

export async function healMachines(lab: Lab, host: string): Promise<void> {
  if (await isFailing(lab, host)) await runInsideOrFail(lab, host, ['umount', QEMU])
}

async function isFailing(lab: Lab, host: string): Promise<boolean> {
  return (await runInside(lab, host, ['mountpoint', '-q', QEMU])).status === 0
}
