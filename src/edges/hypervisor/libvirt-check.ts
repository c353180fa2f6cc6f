import { reasonOf, RingwardError } from '../../errors.ts'
import { run } from '../command.ts'
import { Virsh } from './virsh.ts'

const LIMIT_MS = 5_000

export interface LibvirtTrouble {
  /** Nothing to wait for: the programs are not installed. */
  readonly is_missing: boolean
  readonly message: string
}

/** Why this host could not run virtual servers under libvirt; undefined when it could. */
export async function libvirtTrouble(): Promise<LibvirtTrouble | undefined> {
  for (const [program, option] of [['virsh', '--version'], ['libvirtd', '--version'], ['zstd', '--version']] as const) {
    try {
      await run(program, [option], { limit_ms: LIMIT_MS })
    } catch (error) {
      if (error instanceof RingwardError && error.code === 'COMMAND_MISSING') return { is_missing: true, message: `${program} is not installed; run "apt-get install libvirt-daemon-system libvirt-clients zstd"` }
      return { is_missing: false, message: reasonOf(error) }
    }
  }
  try {
    await new Virsh().ask(['uri'], { limit_ms: LIMIT_MS })
    return undefined
  } catch (error) {
    return { is_missing: false, message: reasonOf(error) }
  }
}
