/** DKIM keys: lists, records to publish, and creating or retiring them by hand. */
import { Type } from 'typebox';
import { domainName } from '../../directory/addresses/names.ts';
import { checkRecord, isPublished, recordName } from '../../directory/signing-keys/check.ts';
import { keyNamed } from '../../directory/signing-keys/dkim-keys.ts';
import { keepSights, sighted } from '../../directory/signing-keys/published.ts';
import { freeSelector, pairOf, type RotationStep } from '../../directory/signing-keys/rotation.ts';
import type { DkimKeyRow } from '../../directory/signing-keys/schema.ts';
import { signingSettings } from '../../directory/signing-keys/settings.ts';
import { rotationPolicy, tellStep } from '../../jobs/dkim-rotation.ts';
import { OperationalError } from '../../model/errors.ts';
import { characterStrings, formatKeyRecord } from '../../protocol/dkim/record.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { Answer, Strings } from '../answers.ts';
import { act, look } from '../define.ts';
import type { OperationServices } from '../services.ts';
import { OF_DOMAIN, Text } from './types.ts';

const KEY = {
  selector: Type.String(),
  algorithm: Type.String(),
  life: Type.String(),
  createdAt: Type.Number(),
  since: Type.Number(),
  checkedAt: Type.Optional(Type.Number()),
  record: Type.Optional(Type.String()),
};
const Algorithm = Type.Optional(Type.Enum(['rsa', 'ed25519']));

export const dkimOperations = {
  'dkim.list': look('dkim.list', {
    area: 'signing',
    reach: OF_DOMAIN,
    title: 'Lists the DKIM keys of a domain, and where each is in its life',
    input: { domain: Text },
    answer: Type.Array(Answer(KEY)),
    run: async (services, { domain }) => {
      const keys = await keysOf(services, domain);
      return { output: keys.map(shown) };
    },
  }),

  'dkim.show': look('dkim.show', {
    area: 'signing',
    reach: OF_DOMAIN,
    title: 'Shows the DNS records to publish for the keys of a domain',
    input: { domain: Text },
    answer: Type.Array(
      Answer({
        name: Type.String(),
        type: Type.Enum(['TXT', 'CNAME']),
        value: Type.String(),
        strings: Type.Optional(Strings),
        selector: Type.String(),
        life: Type.Optional(Type.String()),
      }),
    ),
    run: async (services, { domain }) => {
      const keys = await keysOf(services, domain);
      return { output: records(keys, services.settings.current(), domainName(domain)) };
    },
  }),

  'dkim.check': look('dkim.check', {
    area: 'signing',
    reach: OF_DOMAIN,
    title: 'Looks in the DNS now for the records of the keys of a domain',
    input: { domain: Text },
    answer: Type.Array(Answer({ ...KEY, state: Type.String(), found: Strings })),
    run: async (services, { domain }) => {
      const inUse = (await keysOf(services, domain)).filter(({ state }) => state !== 'retired');
      const looked = await lookUp(services, inUse);
      return { output: looked.map(({ key, check }) => ({ ...shown(key), ...check })) };
    },
  }),

  'dkim.create': act('dkim.create', {
    area: 'signing',
    reach: OF_DOMAIN,
    title: 'Makes a DKIM key, which signs once its DNS record is seen',
    input: { domain: Text, algorithm: Algorithm, selector: Type.Optional(Text) },
    answer: Answer({ domain: Type.String(), selector: Type.String() }),
    run: async (services, { domain, algorithm = 'rsa', selector }) => {
      const keys = await keysOf(services, domain);
      const kind = algorithm === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256';
      const ofKind = keys.filter((key) => key.algorithm === kind);
      const waiting = ofKind.find(({ state }) => state === 'pending');
      if (waiting)
        throw wrongState('make a key', `no other ${algorithm} key may wait for its record: ${waiting.selector} does`);
      const { selectors } = rotationPolicy(services.settings.current(), domainName(domain));
      const name =
        selector === undefined ? freeSelector(ofKind, kind, selectors, services.clock.now()) : selectorName(selector);
      if (name === undefined)
        throw wrongState('make a key', 'one of the two names must be free: wait until the older key is retired');
      const change = await services.dkim.create(domainName(domain), kind, name);
      return { output: { domain: domainName(domain), selector: name }, change };
    },
  }),

  'dkim.rotate': act('dkim.rotate', {
    area: 'signing',
    long: true,
    reach: OF_DOMAIN,
    title: 'Makes new DKIM keys now; lets those that wait sign, where their records are seen',
    input: { domain: Text },
    answer: Type.Array(Answer({ step: Type.String(), selector: Type.String(), algorithm: Type.String() })),
    run: async (services, { domain }) => {
      const name = domainName(domain);
      const steps = await rotationNow(services, name, await keysOf(services, domain));
      const change = await services.dkim.change(name, steps);
      const committed = (): void => {
        change.committed();
        for (const step of steps) tellStep(services.events, name, step);
      };
      return { output: steps.map(shownStep), change: { statements: change.statements, committed } };
    },
  }),

  'dkim.retire': act('dkim.retire', {
    area: 'signing',
    reach: OF_DOMAIN,
    title:
      'Ends a DKIM key at once, as when its secret has leaked; what it signed is not believed once the record is gone',
    input: { domain: Text, selector: Text },
    answer: Answer({ domain: Type.String(), selector: Type.String() }),
    run: async (services, { domain, selector }) => {
      const name = domainName(domain);
      const key = keyNamed(await keysOf(services, domain), name, selector);
      if (key.state === 'retired') throw wrongState(`retire ${selector}`, 'it must be in use: it is retired already');
      const change = await services.dkim.change(name, [{ kind: 'retire', key }]);
      return { output: { domain: name, selector }, change };
    },
  }),
};

async function keysOf({ directory, dkim }: OperationServices, text: string): Promise<readonly DkimKeyRow[]> {
  const domain = domainName(text);
  if (await directory.domain(domain)) return dkim.ofDomain(domain);
  throw new OperationalError('directory.missing', `cannot look at ${domain}, as it must be a local domain: it is not`);
}

/** Each with the result of this check, which the list shows from then on. */
async function lookUp(services: OperationServices, keys: readonly DkimKeyRow[]) {
  const sights = await Promise.all(
    keys.map(async (key) => ({ key, check: await checkRecord(services.resolver, key) })),
  );
  await keepSights(services, sights);
  const now = services.clock.now();
  return sights.map(({ key, check }) => ({ key: sighted(key, check, now), check }));
}

function shown({ selector, algorithm, state, created_at, since, checked_at, check_result }: DkimKeyRow) {
  return {
    selector,
    algorithm,
    life: state,
    createdAt: created_at,
    since,
    checkedAt: checked_at ?? undefined,
    record: check_result ?? undefined,
  };
}

function shownStep(step: RotationStep) {
  return step.kind === 'create'
    ? { step: step.kind, selector: step.selector, algorithm: step.algorithm }
    : { step: step.kind, selector: step.key.selector, algorithm: step.key.algorithm };
}

/** For each kind of key: a waiting one whose record is found takes over; if none waits, one is created. */
async function rotationNow(services: OperationServices, domain: string, keys: readonly DkimKeyRow[]) {
  const policy = rotationPolicy(services.settings.current(), domain);
  const steps: RotationStep[] = [];
  for (const algorithm of policy.algorithms) {
    const ofKind = keys.filter((key) => key.algorithm === algorithm);
    const pending = ofKind.find(({ state }) => state === 'pending');
    const active = ofKind.find(({ state }) => state === 'active');
    if (pending) {
      const [looked] = await lookUp(services, [pending]);
      if (isPublished(looked!.check.state)) steps.push({ kind: 'activate', key: pending, instead: active });
      continue;
    }
    const selector = freeSelector(ofKind, algorithm, policy.selectors, services.clock.now());
    if (selector) steps.push({ kind: 'create', algorithm, selector });
  }
  return steps;
}

interface DnsRecord {
  readonly name: string;
  readonly type: 'TXT' | 'CNAME';
  /** One line; a TXT record of more than 255 characters is split as `strings` says. */
  readonly value: string;
  readonly strings?: readonly string[];
  readonly selector: string;
  readonly life?: DkimKeyRow['state'];
}

function records(keys: readonly DkimKeyRow[], snapshot: SettingsSnapshot, domain: string): readonly DnsRecord[] {
  const isPair = snapshot.get(signingSettings.selectors, { domain }) === 'pair';
  const zone = isPair ? snapshot.get(signingSettings.recordZone, { domain }) : '';
  const out: DnsRecord[] = [];
  const pointed = zone === '' ? [] : rotationPolicy(snapshot, domain).algorithms.flatMap(pairOf);
  for (const selector of pointed)
    out.push({
      selector,
      type: 'CNAME',
      name: recordName({ domain, selector }),
      value: `${selector}.${domain}.${zone}`,
    });
  for (const key of keys) {
    if (key.state === 'retired') continue;
    const { selector, state } = key;
    const name = pointed.includes(selector) ? `${selector}.${domain}.${zone}` : recordName(key);
    const value = formatKeyRecord(key.algorithm, key.public_key);
    out.push({ selector, life: state, type: 'TXT', name, value, strings: characterStrings(value) });
  }
  return out;
}

/** RFC 6376 3.1: labels of a domain name. */
function selectorName(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new OperationalError(
    'directory.invalid',
    `cannot use the selector, as it must be letters a-z, digits and hyphens: current value is ${text || 'empty'}`,
  );
}

function wrongState(what: string, must: string): OperationalError {
  return new OperationalError('dkim.state', `cannot ${what}, as ${must}`);
}
