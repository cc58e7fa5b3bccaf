/**
 * Work that is usually done at once and sometimes has to wait: the fast path pays for no `await` that it does not
 * need.
 */
export type MaybePromise<T> = T | Promise<T>;

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** `then` without a microtask if the value is there already. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** A body that reads like an `async` function: `const value = yield* wait(asked)`. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Within such a body: returns the value, at once if it is there. */
export function* wait<T>(value: MaybePromise<T>): Steps<T> {
  return isPromise(value) ? ((yield value) as T) : value;
}

/** Runs such a body: creates no promise until it has to wait; from then on it behaves like an `async` function. */
export function atOnce<T>(body: Steps<T>): MaybePromise<T> {
  const first = body.next();
  return first.done ? first.value : goOn(body, first.value);
}

async function goOn<T>(body: Steps<T>, waiting: Promise<unknown>): Promise<T> {
  for (let next = waiting; ; ) {
    const step: IteratorResult<Promise<unknown>, T> = await next.then(
      (value) => body.next(value),
      (error) => body.throw(error),
    );
    if (step.done) return step.value;
    next = step.value;
  }
}
