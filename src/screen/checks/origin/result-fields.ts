/** Turns evidence into header fields: the methods of RFC 8601 2.7 and RFC 9989 9. */
import type { Evidence } from '../../../model/finding.ts';
import { isPromise, type MaybePromise } from '../../../model/maybe-promise.ts';
import { UNKNOWN_ADDRESS } from '../../../model/session.ts';
import {
  formatAuthResults,
  formatReceivedSpf,
  type MethodResult,
  mayClaim,
} from '../../../protocol/auth-results/auth-results.ts';
import { fieldValue } from '../../../protocol/mime/text.ts';
import { type CheckServices, NOTHING } from '../../engine/check.ts';
import type { PtrEvidence } from '../reverse-lookup/reverse.ts';
import { authenticationSettings } from './settings.ts';
import type {
  ArcEvidence,
  BimiEvidence,
  DkimEvidence,
  DkimFlag,
  DmarcEvidence,
  NotMade,
  SpfEvidence,
  SpfIdentity,
} from './types.ts';
import { type MessageView, spfOf } from './verification.ts';

export interface Fields {
  readonly made: true;
  readonly prepend: readonly string[];
  readonly remove: readonly (readonly [name: string, occurrence: number])[];
}

type Observation<E> = E | NotMade | undefined;

/** If no method ran, nothing is written: a field without results has no use for readers. */
export const NOTHING_MADE: Fields & Evidence = Object.freeze({ made: true, prepend: [], remove: [] });

type Methods = readonly [
  spf: SpfEvidence | undefined,
  dkim: Observation<DkimEvidence>,
  arc: Observation<ArcEvidence>,
  dmarc: Observation<DmarcEvidence>,
  ptr: Observation<PtrEvidence>,
  bimi: Observation<BimiEvidence>,
];

export function resultFields(view: MessageView, services: CheckServices): MaybePromise<Fields & Evidence> {
  const methods: readonly MaybePromise<unknown>[] = [
    spfOf(view),
    view.observed('dkim'),
    view.observed('arc'),
    view.observed('dmarc'),
    view.observed('reversePtr'),
    view.observed('bimi'),
  ];
  return methods.some(isPromise)
    ? Promise.all(methods).then((made) => fieldsOf(made as unknown as Methods, view, services))
    : fieldsOf(methods as unknown as Methods, view, services);
}

function fieldsOf([spf, dkim, arc, dmarc, ptr, bimi]: Methods, view: MessageView, services: CheckServices) {
  const own = services.settings.current().get(authenticationSettings.authservId) || services.hostname;
  const results: MethodResult[] = [];
  if (spf) addSpf(results, spf);
  addDkim(results, dkim);
  addArc(results, arc);
  addDmarc(results, dmarc);
  addReverse(results, ptr, view);
  addBimi(results, bimi);
  const remove = forged(view, own);
  if (results.length === 0 && remove.length === 0) return NOTHING_MADE;
  // RFC 6532 3: only a message sent with SMTPUTF8 may go beyond ASCII.
  const utf8 = view.envelope.smtputf8;
  const written = results.length > 0 ? [formatAuthResults(own, results, utf8)] : [];
  // RFC 8601 5: Authentication-Results above Received-SPF.
  return { made: true as const, prepend: spf ? [receivedSpf(spf, own, utf8), ...written] : written, remove };
}

function forged({ head, header: { origin } }: MessageView, own: string) {
  const { authenticationResults, receivedSpf } = origin;
  if (authenticationResults.length === 0 && receivedSpf.length === 0) return NOTHING;
  const remove: (readonly [string, number])[] = [];
  authenticationResults.forEach((field, index) => {
    if (mayClaim(fieldValue(head, field), own)) remove.push(['authentication-results', index]);
  });
  const receiver = `receiver=${own.toLowerCase()}`;
  receivedSpf.forEach((field, index) => {
    if (fieldValue(head, field).toLowerCase().replaceAll(/[\s"]/g, '').includes(receiver))
      remove.push(['received-spf', index]);
  });
  return remove;
}

function addSpf(results: MethodResult[], { mail, helloIdentity }: SpfEvidence): void {
  for (const identity of [mail, helloIdentity]) {
    if (!identity || identity.domain === '') continue;
    const property = identity.scope === 'mfrom' ? 'smtp.mailfrom' : 'smtp.helo';
    results.push({
      method: 'spf',
      result: identity.result,
      ...commentOf(identity),
      properties: [[property, identity.domain]],
    });
  }
}

/** Only for failures: other results need no comment. */
function commentOf({ result, text }: SpfIdentity): { comment?: string } {
  return result === 'permerror' || result === 'temperror' ? { comment: text.slice(0, 200) } : {};
}

function addDkim(results: MethodResult[], dkim: Observation<DkimEvidence>): void {
  if (!dkim?.made) return;
  if (dkim.signatures.length === 0) results.push({ method: 'dkim', result: 'none' });
  for (const { domain, selector, algorithm, result, detail, flags, b } of dkim.signatures) {
    const comment = result === 'pass' ? doubtsOf(flags) : detail;
    const properties = [
      ['header.d', domain],
      ['header.s', selector],
      ['header.a', algorithm],
      ['header.b', b ?? ''],
    ] as const;
    results.push({
      method: 'dkim',
      result,
      ...(comment && { comment: comment.slice(0, 200) }),
      // A signature without these tags is none, and RFC 8601 2.2 allows no empty value.
      properties: properties.filter(([, value]) => value !== ''),
    });
  }
  if (dkim.unread > 0)
    results.push({ method: 'dkim', result: 'policy', comment: `${dkim.unread} further signatures were not verified` });
}

const DOUBTS: Partial<Record<DkimFlag, string>> = {
  'field-added': 'From, To, Subject or Date was added to what is signed',
  testing: 'the domain only tests this key',
};

/** Weaknesses of a valid signature, for a person. */
function doubtsOf(flags: readonly DkimFlag[]): string {
  return flags.length === 0 ? '' : flags.flatMap((flag) => DOUBTS[flag] ?? []).join('; ');
}

function addArc(results: MethodResult[], arc: Observation<ArcEvidence>): void {
  if (!arc?.made || arc.result === 'none') return;
  const comment = arc.result === 'pass' ? `sealed by ${arc.sealers.slice(0, 5).join(', ')}` : arc.detail;
  // RFC 8601 2.7.1 has no temporary result for ARC: a chain that could not be verified must not be trusted.
  results.push({ method: 'arc', result: arc.result === 'pass' ? 'pass' : 'fail', ...(comment && { comment }) });
}

function addDmarc(results: MethodResult[], dmarc: Observation<DmarcEvidence>): void {
  if (!dmarc?.made) return;
  const { result, detail, record, policy, headerFrom } = dmarc;
  results.push({
    method: 'dmarc',
    result,
    ...(detail && { comment: detail }),
    properties: [
      ...(record ? [['policy.dmarc', policy] as const] : []),
      ...(headerFrom ? [['header.from', headerFrom] as const] : []),
    ],
  });
}

/** RFC 8601 2.7.3. */
function addReverse(results: MethodResult[], ptr: Observation<PtrEvidence>, { facts }: MessageView): void {
  if (!ptr?.made) return;
  const result = { confirmed: 'pass', mismatch: 'fail', missing: 'permerror', 'cannot-tell': 'temperror' }[ptr.result];
  const comment = ptr.result === 'confirmed' ? ptr.names[0] : undefined;
  results.push({
    method: 'iprev',
    result,
    ...(comment && { comment }),
    properties: facts.client.address === UNKNOWN_ADDRESS ? [] : [['policy.iprev', facts.client.address]],
  });
}

function addBimi(results: MethodResult[], bimi: Observation<BimiEvidence>): void {
  if (!bimi?.made || bimi.domain === undefined) return;
  const properties = [
    ['header.d', bimi.domain],
    ['header.selector', bimi.selector ?? 'default'],
  ] as const;
  results.push({ method: 'bimi', result: bimi.result, ...(bimi.detail && { comment: bimi.detail }), properties });
}

function receivedSpf({ mail, client, helo, envelopeFrom }: SpfEvidence, receiver: string, utf8: boolean): string {
  const field = {
    result: mail.result,
    comment: mail.text.slice(0, 300),
    pairs: [
      ...(client === UNKNOWN_ADDRESS ? [] : [['client-ip', client] as const]),
      ...(mail.scope === 'mfrom' ? [['envelope-from', envelopeFrom] as const] : []),
      ['helo', helo],
      ['receiver', receiver],
      ['identity', mail.scope === 'mfrom' ? 'mailfrom' : 'helo'],
    ] as const,
  };
  return formatReceivedSpf(field, utf8);
}
