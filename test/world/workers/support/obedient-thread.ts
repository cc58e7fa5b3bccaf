/** A thread that does what a test asks of it. */

import { OperationalError } from '../../../../src/model/errors.ts';
import { answerJobs } from '../../../../src/world/workers/answer.ts';

export type Order =
  | { readonly kind: 'echo'; readonly value: string }
  /** How many questions of this job came before, and in how many jobs of this thread. */
  | { readonly kind: 'count' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'throw' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'exit' };

export interface Counted {
  readonly ofJob: number;
  readonly ofThread: number;
}

let ofThread = 0;

answerJobs<Order, string | Counted>(() => {
  let ofJob = 0;
  return (order) => {
    switch (order.kind) {
      case 'echo':
        return order.value;
      case 'count':
        return { ofJob: ofJob++, ofThread: ofThread++ };
      case 'hang':
        return new Promise(() => {});
      case 'throw':
        // Outside of any answer: ends the thread.
        setImmediate(() => {
          throw new Error('out of order');
        });
        return new Promise(() => {});
      case 'refuse':
        throw new OperationalError('test.refused', 'cannot do this');
      case 'exit':
        return process.exit(0);
    }
  };
});
