/**
 * The part of a report that a person reads: whether the message arrived, why not, and what to do, in plain words,
 * with the remote host's reply quoted. English; lines of at most 76 characters unless a foreign word is longer.
 */
import { formatDate } from './date.ts';
import { explain } from './explain.ts';
import { oneLine } from './field-text.ts';
import type { DsnAction, DsnRecipient, DsnReport, Returned } from './types.ts';

const WIDTH = 76;

/** The last line: plain ASCII shorter than a line, so that quoted-printable does not change it (reduce.ts). */
export const CLOSINGS: Readonly<Record<Returned['kind'], string>> = {
  full: 'Your message is attached, behind a report for mail programs.',
  headers: 'The header of your message is attached, behind a report for mail programs.',
  none: 'A report for mail programs is attached.',
};

/** `about`: the texts of `aboutRecipient`, in order. */
export function humanText(report: DsnReport, about: readonly string[] = report.recipients.map(aboutRecipient)): string {
  const opening = `This is an automatic report from the mail system at ${report.reportingMta} about a message that you sent:`;
  const blocks = [wrap(opening, ''), aboutTheMessage(report), ...about, CLOSINGS[report.returned.kind]];
  return `${blocks.join('\r\n\r\n')}\r\n`;
}

export function subjectOf(recipients: readonly DsnRecipient[]): string {
  const has = (action: DsnAction): boolean => recipients.some((recipient) => recipient.action === action);
  if (has('failed'))
    return recipients.every(({ action }) => action === 'failed')
      ? 'Your message was not delivered'
      : 'Your message was not delivered to everybody';
  if (has('delayed')) return 'Your message is delayed';
  return 'Your message was delivered';
}

function aboutTheMessage(report: DsnReport): string {
  const subject = oneLine(report.subject ?? '', 200);
  const received = `    Received: ${formatDate(report.arrivedAt)}`;
  return subject === '' ? received : `${wrap(`Subject:  ${subject}`, '    ')}\r\n${received}`;
}

export function aboutRecipient(recipient: DsnRecipient): string {
  const { action, addressedTo, finalRecipient, remoteMta, diagnostic, triedFor } = recipient;
  const asWritten = oneLine(addressedTo ?? finalRecipient);
  const via = asWritten === oneLine(finalRecipient) ? '' : ` (passed on to ${oneLine(finalRecipient)})`;
  const lines = [wrap(`${asWritten}${via}`, '')];
  const say = (text: string): void => void lines.push(wrap(text, '    '));

  if (action === 'failed') {
    const { why, advice } = explain(recipient.status);
    say(`NOT DELIVERED. ${why}${triedFor === undefined ? '' : ` We tried for ${triedFor}.`}`);
    quote(lines, remoteMta, diagnostic);
    say(advice);
  } else if (action === 'delayed') {
    say(`NOT DELIVERED YET. ${explain(recipient.status).why}`);
    quote(lines, remoteMta, diagnostic);
    const until = recipient.willRetryUntil === undefined ? '' : ` until ${formatDate(recipient.willRetryUntil)}`;
    say(`We keep trying${until}. You need not send it again; you will be told if it fails for good.`);
  } else if (action === 'relayed') {
    const next = remoteMta === undefined ? 'the next mail system' : oneLine(remoteMta);
    say(`PASSED ON to ${next}, which does not send reports. You will hear no more unless it fails there.`);
  } else if (action === 'expanded') {
    say('DELIVERED to a list of addresses and passed on to each of them.');
  } else say('DELIVERED to the mailbox.');
  return lines.join('\r\n');
}

function quote(lines: string[], remoteMta: string | undefined, diagnostic: DsnRecipient['diagnostic']): void {
  const words = oneLine(diagnostic?.text ?? '');
  if (words === '') return;
  const who =
    diagnostic?.saidBy === 'remote' ? `${oneLine(remoteMta ?? 'The other side')} said:` : 'In technical words:';
  lines.push(wrap(who, '    '), wrap(words, '        '));
}

/** Wraps at spaces; every line starts with `indent`. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(indent + line);
  return lines.join('\r\n');
}
