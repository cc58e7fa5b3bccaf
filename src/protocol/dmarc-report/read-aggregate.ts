/**
 * Reads an aggregate report (RFC 9990 3.1, and those of RFC 7489, which most still send).
 *
 * Tolerant: elements without namespace are accepted, unknown ones skipped, and values outside the schema taken as the
 * weakest. A problem is a sentence, never an exception.
 */
import { REPORT_RECORDS, VALUE_CHARACTERS, VALUES_PER_RECORD } from './limits.ts';
import type { AggregateReport, DkimResult, DmarcAction, OverrideType, ReportRecord, SpfResult } from './types.ts';
import { child, children, parseXml, textOf, type XmlTree } from './xml.ts';

export type ReadAggregate =
  | {
      readonly ok: true;
      readonly report: AggregateReport;
      /** The number of records beyond the bound, or without source or count. */
      readonly unread: number;
    }
  | { readonly ok: false; readonly problem: string };

const ACTIONS = ['none', 'quarantine', 'reject'] as const;
const OVERRIDES = ['trusted_forwarder', 'mailing_list', 'local_policy', 'policy_test_mode', 'other'] as const;
const SPF = ['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror'] as const;
const DKIM = ['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror'] as const;

/** `bytes`: the unpacked XML; the caller bounds its size. */
export function readAggregate(bytes: Uint8Array): ReadAggregate {
  let tree: XmlTree;
  try {
    tree = parseXml(bytes);
  } catch (error) {
    return { ok: false, problem: `not XML that can be read: ${(error as Error).message.slice(0, 200)}` };
  }
  const feedback = child(tree, 'feedback');
  const metadata = child(feedback, 'report_metadata');
  const policy = child(feedback, 'policy_published');
  const domain = lower(text(policy, 'domain'));
  const range = child(metadata, 'date_range');
  const begin = wholeNumber(text(range, 'begin'));
  const end = wholeNumber(text(range, 'end'));
  if (!domain) return { ok: false, problem: 'no policy domain in it' };
  if (begin === undefined || end === undefined || end < begin)
    return { ok: false, problem: 'no range of dates in it that could be' };
  const rows = children(feedback, 'record');
  const records = rows.slice(0, REPORT_RECORDS).map(readRecord);
  const read = records.filter((record) => record !== undefined);
  return {
    ok: true,
    unread: rows.length - read.length,
    report: {
      metadata: {
        organisation: text(metadata, 'org_name') ?? '',
        email: text(metadata, 'email') ?? '',
        extraContact: text(metadata, 'extra_contact_info'),
        reportId: text(metadata, 'report_id') ?? '',
        begin,
        end,
        errors: texts(metadata, 'error'),
      },
      policy: {
        domain,
        adkim: oneOf(['r', 's'], text(policy, 'adkim')),
        aspf: oneOf(['r', 's'], text(policy, 'aspf')),
        p: oneOf(ACTIONS, text(policy, 'p')),
        sp: oneOf(ACTIONS, text(policy, 'sp')),
        np: oneOf(ACTIONS, text(policy, 'np')),
        t: oneOf(['y', 'n'], text(policy, 't') ?? text(policy, 'testing')),
        psd: oneOf(['y', 'n', 'u'], text(policy, 'psd')),
        fo: text(policy, 'fo'),
        discovery: oneOf(['treewalk', 'psl'], text(policy, 'discovery_method')),
      },
      records: read,
    },
  };
}

function readRecord(record: unknown): ReportRecord | undefined {
  const row = child(record, 'row');
  const identifiers = child(record, 'identifiers');
  const results = child(record, 'auth_results');
  const evaluated = child(row, 'policy_evaluated');
  const sourceIp = lower(text(row, 'source_ip'));
  const count = wholeNumber(text(row, 'count'));
  if (!sourceIp || !/^[0-9a-f.:]{2,45}$/.test(sourceIp) || count === undefined) return undefined;
  return {
    sourceIp,
    count,
    disposition: oneOf(ACTIONS, text(evaluated, 'disposition')) ?? ('none' satisfies DmarcAction),
    dkim: text(evaluated, 'dkim') === 'pass' ? 'pass' : 'fail',
    spf: text(evaluated, 'spf') === 'pass' ? 'pass' : 'fail',
    reasons: some(evaluated, 'reason').map((reason) => ({
      type: oneOf(OVERRIDES, text(reason, 'type')) ?? ('other' satisfies OverrideType),
      comment: text(reason, 'comment'),
    })),
    envelopeTo: lower(text(identifiers, 'envelope_to')),
    envelopeFrom: lower(text(identifiers, 'envelope_from')) ?? '',
    headerFrom: lower(text(identifiers, 'header_from')) ?? '',
    dkimResults: some(results, 'dkim').map((result) => ({
      domain: lower(text(result, 'domain')) ?? '',
      selector: text(result, 'selector') ?? '',
      result: oneOf(DKIM, text(result, 'result')) ?? ('none' satisfies DkimResult),
      detail: text(result, 'human_result'),
    })),
    spfResults: some(results, 'spf').map((result) => ({
      domain: lower(text(result, 'domain')) ?? '',
      scope: text(result, 'scope') === 'helo' ? 'helo' : 'mfrom',
      result: oneOf(SPF, text(result, 'result')) ?? ('none' satisfies SpfResult),
    })),
  };
}

function text(tree: unknown, name: string): string | undefined {
  return textOf(tree, name, VALUE_CHARACTERS);
}

function some(tree: unknown, name: string): readonly unknown[] {
  return children(tree, name).slice(0, VALUES_PER_RECORD);
}

function texts(tree: unknown, name: string): readonly string[] {
  return some(tree, name)
    .filter((value) => typeof value === 'string')
    .map((value) => value.slice(0, VALUE_CHARACTERS).trim());
}

function lower(value: string | undefined): string | undefined {
  return value?.toLowerCase();
}

function oneOf<const T extends string>(values: readonly T[], value: string | undefined): T | undefined {
  const wanted = value?.toLowerCase();
  return values.find((known) => known === wanted);
}

/** Eleven digits: a second far in the future; sums of many stay far below 64 bits. */
function wholeNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,11}$/.test(value) ? Number(value) : undefined;
}
