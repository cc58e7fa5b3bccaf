/**
 * One sync for all who ask at the same time. A sync that is under way may have begun before the
 * caller's own change, so the caller waits for the next one, together with whoever else asks till then.
 */
export function sharedSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const begin = (): Promise<void> => {
    next = undefined;
    running = sync().finally(() => {
      running = undefined;
    });
    return running;
  };

  return () => {
    if (!running) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
}
