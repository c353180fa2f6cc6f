import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FlagWatch } from '../../../executer/flag-watch.ts'

describe('the flag watch', () => {
  let root: string
  beforeEach(async () => { root = await mkdtemp(join(tmpdir(), 'ringward-flag-')) })
  afterEach(() => rm(root, { recursive: true, force: true }))
  const never = new AbortController().signal

  it('sees the flag come and go', async () => {
    const watch = new FlagWatch(join(root, 'flag'))
    await watch.start()
    expect(watch.present).toBe(false)
    await writeFile(join(root, 'flag'), '')
    await watch.until(true, never)
    expect(watch.present).toBe(true)
    await rm(join(root, 'flag'))
    await watch.until(false, never)
    watch.close()
  })

  it('sees it by the poll where there is nothing to watch yet', async () => {
    const watch = new FlagWatch(join(root, 'later', 'flag'))
    await watch.start()
    const seen = watch.until(true, never)
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(root, 'later'))
    await writeFile(join(root, 'later', 'flag'), '')
    await seen
    watch.close()
  })

  it('ends a wait at the abort', async () => {
    const watch = new FlagWatch(join(root, 'flag'))
    await watch.start()
    const over = new AbortController()
    const wait = watch.until(true, over.signal)
    over.abort()
    await wait
    expect(watch.present).toBe(false)
    watch.close()
  })
})
