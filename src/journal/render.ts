/**
 * A message or a session as plain text, for `postern log show`: first what it came to, then why, then
 * every word that was said, in order of time. Untrusted text cannot move the cursor or colour
 * the screen: control characters are shown as escapes.
 */
import type { Finding } from '../model/finding.ts';
import type { RecipientFindings } from '../model/journal-detail.ts';
import { replyText } from '../model/reply.ts';
import type { SessionFacts } from '../model/session.ts';
import { cleanLines } from '../protocol/text/unsafe.ts';
import type { StoredChange } from './changes.ts';
import type { SessionRecord } from './contract.ts';
import type { ShownMessage, ShownSession } from './show.ts';
import type { LoggedRecipient } from './terms.ts';

export function renderShown(shown: ShownMessage | ShownSession): string {
  return visible((shown.kind === 'message' ? renderMessage(shown) : renderSession(shown)).join('\n'));
}

function renderMessage(shown: ShownMessage): string[] {
  const { detail, session } = shown;
  return [
    `Message ${shown.id}`,
    ...table([
      ['time', time(shown.at)],
      ['direction', shown.direction],
      ['from', shown.from === '' ? '<> (null reverse-path)' : shown.from],
      ['From header', shown.headerFrom],
      ['subject', shown.subject],
      ['Message-ID', shown.messageId],
      ['size', `${shown.sizeBytes} bytes`],
      ['client', shown.client],
      ['session', shown.sessionId],
    ]),
    ...shown.recipients.flatMap((recipient) => renderRecipient(recipient, shown.changes)),
    ...strayChanges(shown),
    ...section('Findings', [...detail.findings.flatMap(renderFindings), ...renderCut(detail.cut?.findings)]),
    ...section('Evidence', [
      ...Object.entries(detail.evidence).map(([check, evidence]) => `  ${check}: ${JSON.stringify(evidence)}`),
      ...renderCut(detail.cut?.evidence),
    ]),
    ...(session ? renderFacts(session) : []),
    ...dialogue('Dialogue of the session', session?.dialogue),
    ...dialogue('Dialogue of the message', detail.dialogue),
    '',
  ];
}

function renderSession({ session, messages }: ShownSession): string[] {
  return [
    `Session ${session.facts.id}`,
    ...renderFacts(session),
    ...section(
      'Messages',
      messages.map((id) => `  ${id}`),
    ),
    ...dialogue('Dialogue', session.dialogue),
    '',
  ];
}

function renderRecipient(recipient: LoggedRecipient, changes: readonly StoredChange[]): string[] {
  const { address, original, disposition, reason } = recipient;
  const said = original !== undefined && original !== address ? ` (said: ${original})` : '';
  return [
    '',
    `Recipient ${address}${said}`,
    `  ${disposition}${reason === undefined ? '' : `: ${reason}`}`,
    ...changes.filter((change) => change.recipient === address).map(renderChange),
  ];
}

/** Of addresses that came later, by a redirect for example. */
function strayChanges({ recipients, changes }: ShownMessage): string[] {
  const known = new Set(recipients.map(({ address }) => address));
  const stray = changes.filter((change) => !known.has(change.recipient));
  return section(
    'Further recipients',
    stray.map((change) => `  ${change.recipient}\n  ${renderChange(change)}`),
  );
}

function renderChange({ at, state, by, host, address, tls, status, reply, earlier = [] }: StoredChange): string {
  const where = host ?? address;
  const parts = [
    `  ${time(at)}  ${state}`,
    by === undefined ? '' : `by ${by}`,
    where === undefined ? '' : `at ${place(where, host === undefined ? undefined : address)}`,
    tls === undefined ? '' : `with ${tls}`,
  ].filter((part) => part !== '');
  const answer = [status, reply].filter((part) => part !== undefined).join(' ');
  const line = answer === '' ? parts.join(' ') : `${parts.join(' ')}: ${indented(answer, 4)}`;
  return [line, ...earlier.map(renderEarlier)].join('\n');
}

function renderEarlier({ host, address, tls, reply }: NonNullable<StoredChange['earlier']>[number]): string {
  return `    before, ${place(host, address)}${tls === undefined ? '' : ` with ${tls}`}: ${indented(reply, 6)}`;
}

function place(host: string, address: string | undefined): string {
  return address === undefined ? host : `${host} [${address}]`;
}

function renderCut(count: number | undefined): string[] {
  return count === undefined ? [] : [`  (${count} more, not kept)`];
}

function renderFindings({ recipient, findings }: RecipientFindings): string[] {
  return findings.map((finding) => renderFinding(finding, recipient));
}

function renderFinding({ check, outcome, code, text, score, action, reply }: Finding, recipient?: string): string {
  const parts = [`  ${check}: ${outcome} (${code}): ${text}`];
  if (recipient !== undefined) parts.push(`for ${recipient}`);
  if (score !== undefined) parts.push(`score ${score}`);
  if (action !== undefined) parts.push(`asks for ${action}`);
  if (reply !== undefined) parts.push(`reply ${reply.code} ${replyText(reply)}`);
  return parts.join('; ');
}

function renderFacts({ facts, endedAt, end, reason, messagesAccepted }: SessionRecord): string[] {
  return [
    '',
    `Session ${facts.id}`,
    ...table([
      [
        'client',
        `${endpoint(facts.client)}${facts.helo === undefined ? '' : `, ${facts.extended ? 'EHLO' : 'HELO'} ${facts.helo}`}`,
      ],
      ['proxy', facts.proxy && endpoint(facts.proxy)],
      ['listener', `${facts.profile} at ${endpoint(facts.local)}`],
      ['TLS', tlsText(facts)],
      ['account', facts.account],
      ['time', `${time(facts.startedAt)} to ${time(endedAt)}`],
      ['ended', reason === undefined ? end : `${end}: ${reason}`],
      ['messages', String(messagesAccepted)],
    ]),
  ];
}

function tlsText({ tls }: SessionFacts): string {
  if (!tls) return 'none';
  return `${tls.protocol} ${tls.cipher}${tls.servername === undefined ? '' : `, asked for ${tls.servername}`}`;
}

function endpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function table(rows: readonly (readonly [string, string | null | undefined])[]): string[] {
  return rows.flatMap(([name, value]) => (value ? [`  ${name.padEnd(12)}${indented(value, 14)}`] : []));
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function dialogue(title: string, lines: string | undefined): string[] {
  return section(title, lines ? lines.split('\n').map((line) => `  ${line}`) : []);
}

function indented(text: string, columns: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(columns)}`);
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function visible(text: string): string {
  return cleanLines(text, (character) => `\\x${character.codePointAt(0)!.toString(16).padStart(2, '0')}`);
}
