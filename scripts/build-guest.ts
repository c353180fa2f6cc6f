import { parseArgs } from 'node:util'
import { buildGuest, installGuest } from './guest-image/build-guest.ts'

/** `npx tsx scripts/build-guest.ts --cache DIRECTORY [--output DIRECTORY]`: builds the image of the virtual servers, as root. */
const { values } = parseArgs({ options: { cache: { type: 'string' }, output: { type: 'string' } } })
if (values.cache === undefined) {
  process.stderr.write('usage: build-guest --cache DIRECTORY [--output DIRECTORY]\n')
  process.exitCode = 2
} else {
  const image = await buildGuest({ cache_directory: values.cache })
  if (values.output !== undefined) await installGuest(image, values.output)
  process.stdout.write(`${image.kernel}\n${image.initrd}\n`)
}
