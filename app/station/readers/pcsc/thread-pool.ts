/**
 * Every PC/SC call that waits holds one thread of libuv's pool (koffi runs its asynchronous calls there): one for
 * the watcher, and one a reader whose card is slow or never answers. The pool has 4 threads unless the environment
 * says otherwise before its first use, and files and DNS share it.
 */

const THREADS = 32;

/**
 * Makes room in the pool. Has an effect only before anything in the process used the pool: loading an ES module
 * may have, in older Nodes; on Node 24 and for a CommonJS bundle a first line of the main file is early enough. Whoever
 * starts a process for the engine sets `UV_THREADPOOL_SIZE` for it and leaves nothing to chance.
 * @returns the number of threads the pool has, if this came in time.
 */
export function widenThreadPool(threads: number = THREADS): number {
  const now = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  if (now >= threads) return now;
  process.env['UV_THREADPOOL_SIZE'] = String(threads);
  return threads;
}
