// @ts-check
/** `probe.mjs <url>`: whether a download would begin. Prints its size in bytes ("unknown" where that is not said); status 1 if not. */
const LIMIT_MS = 5_000;

try {
  const answer = await fetch(process.argv[2] ?? '', {
    method: 'HEAD',
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  console.log(answer.headers.get('content-length') ?? 'unknown');
} catch (error) {
  console.error(error instanceof Error ? (error.cause ?? error.message) : error);
  process.exitCode = 1;
}
