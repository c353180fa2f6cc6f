/**
 * libp2p 3 calls `Promise.withResolvers`, which Node has from version 22 on; on Node 20 it would fail at start and at stop.
 * This file must stay the first import of every file that imports libp2p.
 */
interface Resolvers {
  promise: Promise<unknown>
  resolve: (value: unknown) => void
  reject: (reason?: unknown) => void
}

function withResolvers(this: PromiseConstructor): Resolvers {
  const made: Partial<Resolvers> = {}
  made.promise = new this<unknown>((resolve, reject) => {
    made.resolve = resolve
    made.reject = reject
  })
  return made as Resolvers
}

if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', { configurable: true, writable: true, value: withResolvers })
}

export {}
