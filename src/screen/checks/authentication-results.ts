/**
 * Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 9.1): what was found, written where
 * readers and filters behind this node look, and nobody else's word in our name.
 *
 * Fields of strangers that claim to be of our authserv-id are removed (RFC 8601 5). The content stays
 * as it was received: these are header edits of the copies. Declared last, as it tells of all others.
 */
import type { HeaderEdit } from '../../model/content.ts';
import type { MaybePromise } from '../../model/maybe-promise.ts';
import { resultFields } from '../authentication/result-fields.ts';
import type { NotMade } from '../authentication/words.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../check.ts';

/** `prepend`: whole fields, the lowest first. `remove`: which occurrence of which field. */
export type ResultFields = {
  readonly made: true;
  readonly prepend: readonly string[];
  readonly remove: readonly (readonly [name: string, occurrence: number])[];
};

/** The copies of all recipients share one list, so that they travel together. */
const lists = new WeakMap<ResultFields, readonly HeaderEdit[]>();

export const authenticationResults = defineCheck({
  id: 'authenticationResults',
  stage: 'message',
  guide: 'Authentication-Results header',
  exempt: ['authenticated', 'domainMailServer'],
  protects: false,
  lazy: true,
  codes: {},
  settings: {},

  observe(view: Views['message'], services: CheckServices): MaybePromise<ResultFields | NotMade> {
    return resultFields(view, services);
  },

  judge() {
    return NOTHING;
  },

  edits(evidence) {
    if (!evidence.made) return NOTHING;
    let list = lists.get(evidence);
    if (!list) {
      list = [
        ...evidence.prepend.map((raw) => ({ kind: 'prepend', raw }) as const),
        ...evidence.remove.map(([name, occurrence]) => ({ kind: 'remove', name, occurrence }) as const),
      ];
      lists.set(evidence, list);
    }
    return list;
  },
});
