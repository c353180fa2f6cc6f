/** What an incident is expected to take: the thesis's formulas 5.10–5.18 with this system's own constants and the lease in place of T_nd. */
import type { Trouble } from './trouble.ts'
import type { Profile } from './profile.ts'

export interface Prediction {
  readonly function_ms: number | null
  readonly target_ms: number | null
  readonly client_ms: number | null
}

/** A claim, the resume and the announcement, once the virtual server waits paused (measured in the lab). */
const RESUME_MS = 300
/** Loading the saved state (measured in the lab: 0.3–0.6 s under emulation). */
const PREPARE_MS = 500
/** Remote hand: restart of a daemon, and one that takes the VIP off. */
const RESTART_MS = 500
const RELEASE_MS = 300

/** A power controller's answer. */
const POWER_MS = 500

/** A host that is off by its controller's word: two missed renewals are waited for, beside the loading; it is switched on when its function is given. */
function predictPowerOff(profile: Profile, phase_ms: number, silent_ms: number, reboot_limit_ms: number): Prediction {
  const function_ms = Math.max(2 * profile.renew_ms - silent_ms, PREPARE_MS) + RESUME_MS
  return { function_ms, target_ms: Math.round(function_ms + (reboot_limit_ms * 2) / 3), client_ms: phase_ms + POWER_MS + function_ms }
}

/** `silent_ms`: for how long the lease had been silent at the detection. Boot times are the target's own and unknown: its reboot limit stands for them. */
export function predict(trouble: Trouble, profile: Profile, interval_ms: number, silent_ms: number, reboot_limit_ms: number, power_is_off = false): Prediction {
  const phase_ms = interval_ms / 2
  if (power_is_off && trouble === 'Nt2') return predictPowerOff(profile, phase_ms, silent_ms, reboot_limit_ms)
  switch (trouble) {
    case 'leave': return { function_ms: PREPARE_MS + RESUME_MS, target_ms: null, client_ms: RESUME_MS }
    case 'St1': return { function_ms: null, target_ms: RESTART_MS, client_ms: phase_ms + RESTART_MS }
    case 'St2': {
      const function_ms = RESTART_MS + Math.max(RELEASE_MS, PREPARE_MS) + RESUME_MS
      return { function_ms, target_ms: RESTART_MS + RELEASE_MS + reboot_limit_ms, client_ms: phase_ms + function_ms }
    }
    default: {
      const function_ms = Math.max(0, profile.expire_ms - silent_ms) + RESUME_MS
      // Nt2 waits out the reboot limit and is woken then; the boot itself takes two thirds of the limit (T_rc ≈ 1.5 × reboot, thesis 5.4).
      return { function_ms, target_ms: Math.round(trouble === 'Nt2' ? (reboot_limit_ms * 5) / 3 : (reboot_limit_ms * 2) / 3), client_ms: profile.expire_ms + RESUME_MS }
    }
  }
}
