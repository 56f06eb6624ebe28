/**
 * The one limit of every wait in the tests, ms. A test waits for an event and goes on as soon as it comes; the limit is only there so
 * that an event that never comes is told by its name. It is so generous that a busy machine never reaches it.
 */
export const LIMIT = 120_000;

/** Of a whole test or hook, ms: longer than the waits in it, so that the wait that failed is what is reported. */
export const TEST_LIMIT = 5 * LIMIT;

/** For `vi.waitFor` and `vi.waitUntil`, whose own limit is one second. */
export const PATIENT = { timeout: LIMIT, interval: 20 } as const;

/** For a vault whose time is not what is tested: on a busy machine its start takes longer than a server would wait for it. */
export const PATIENT_VAULT = { callTimeoutMs: LIMIT, startTimeoutMs: LIMIT } as const;
