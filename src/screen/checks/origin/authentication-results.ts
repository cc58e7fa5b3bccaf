/**
 * Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 9.1): writes the results for readers and filters
 * behind this node, and removes forged results in our name.
 *
 * Received fields that claim our authserv-id are removed (RFC 8601 5). The content stays as it was received: these
 * are header edits of the copies. Declared last, as it reports all other checks.
 */
import type { HeaderEdit } from '../../../model/content.ts';
import type { MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { NOTHING_MADE, resultFields } from './result-fields.ts';
import type { NotMade } from './types.ts';

/** `prepend`: whole fields, the lowest first. `remove`: which occurrence of which field. */
export type ResultFields = {
  readonly made: true;
  readonly prepend: readonly string[];
  readonly remove: readonly (readonly [name: string, occurrence: number])[];
};

/** Of the last message: the copies of all its recipients share one list, so that they travel together. */
let last: { readonly of: ResultFields; readonly edits: readonly HeaderEdit[] } | undefined;

export const authenticationResults = defineCheck({
  id: 'authenticationResults',
  stage: 'message',
  guide: 'Authentication-Results header',
  exempt: ['authenticated', 'domainMailServer'],
  clear: NOTHING_MADE,
  protects: true,
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
    if (last?.of !== evidence) last = { of: evidence, edits: editsOf(evidence) };
    return last.edits;
  },
});

function editsOf({ prepend, remove }: ResultFields): readonly HeaderEdit[] {
  if (prepend.length === 0 && remove.length === 0) return NOTHING;
  return [
    ...prepend.map((raw) => ({ kind: 'prepend', raw }) as const),
    ...remove.map(([name, occurrence]) => ({ kind: 'remove', name, occurrence }) as const),
  ];
}
