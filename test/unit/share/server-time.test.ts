import { expect, test } from 'vitest'
import { ServerTime } from '../../../src/edges/share/server-time.ts'

function serverTime(): { time: ServerTime; boot: { ms: number }; note: (stamps: Record<string, number>) => void } {
  const boot = { ms: 1_000 }
  const time = new ServerTime(() => boot.ms)
  return { time, boot, note: stamps => { time.note(new Map(Object.entries(stamps))) } }
}

test('what was written is as old as the file server\'s clock says, by the newest stamp', () => {
  const { time, note } = serverTime()
  note({ mail: 50_000, ftp: 50_400 })
  expect(time.age_ms(50_000)).toBe(400)
})

test('it goes on by the boot clock while no stamp changes', () => {
  const { time, boot, note } = serverTime()
  note({ mail: 50_000 })
  boot.ms += 3_000
  note({ mail: 50_000 })
  expect(time.age_ms(50_000)).toBe(3_000)
})

test('the stamp of a host that is off, from before the server\'s clock was set back, counts at the first look only', () => {
  const { time, boot, note } = serverTime()
  note({ off: 9_000_000, mail: 50_000 })
  boot.ms += 500
  note({ off: 9_000_000, mail: 50_500 })
  expect(time.age_ms(50_000)).toBe(500)
})

test('nothing is older than no time at all: neither what is stamped with a time to come, nor anything before a lease was seen', () => {
  const { time, note } = serverTime()
  expect(time.age_ms(50_000)).toBe(0)
  note({ mail: 50_000 })
  expect(time.age_ms(60_000)).toBe(0)
})
