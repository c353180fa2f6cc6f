import { defineConfig } from 'vitest/config'

// Two projects: everything that runs anywhere, and the lab, which needs root and takes the machine for itself.
export default defineConfig({
  test: {
    // Upper bounds against hanging, not measures of speed.
    testTimeout: 60_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/{unit,contract,integration,scenarios,simulation}/**/*.test.ts'] } },
      { extends: true, test: { name: 'lab', include: ['test/lab/**/*.test.ts'], fileParallelism: false, testTimeout: 240_000, bail: 1 } },
    ],
  },
})
