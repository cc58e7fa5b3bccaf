/** A message of five header fields and a body, CRLF. */
export function letter(fields: { from?: string; to?: string; subject?: string; body?: string } = {}): string {
  const {
    from = 'bob@elsewhere.example',
    to = 'alice@example.com',
    subject = 'a letter',
    body = 'Hello.\r\n',
  } = fields;
  return `From: <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <${subject.replace(/\W+/g, '-')}@elsewhere.example>\r\n\r\n${body}`;
}
