import { run } from '../command.ts'
import { QEMU, type Accelerator } from './qemu-arguments.ts'

/**
 * The firmware alone reaches its end in 0.25 s without hardware virtualization (measured) and faster with it. A device node
 * that exists but works badly (nested, emulated) takes 3.7 s here and then fails with a real kernel.
 */
const PROBE_LIMIT_MS = 1_500
/** So that whoever looks at the host's processes does not take the probe for a virtual server. */
export const PROBE_NAME = 'ringward-accelerator-probe'

/** Tries hardware virtualization by letting the firmware run to its end; a device node that exists proves nothing. */
export async function probeAccelerator(signal?: AbortSignal): Promise<Accelerator> {
  try {
    const { status } = await run(QEMU, [
      '-name', PROBE_NAME, '-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'pc', '-accel', 'kvm', '-cpu', 'qemu64', '-m', '16',
      // Nothing to boot from: the firmware resets after 1 ms, and a reset ends QEMU.
      '-boot', 'reboot-timeout=1', '-no-reboot',
    ], { limit_ms: PROBE_LIMIT_MS, ...(signal ? { signal } : {}) })
    return status === 0 ? 'kvm' : 'tcg'
  } catch {
    return 'tcg'
  }
}
