/**
 * Message size: no recipient must take more than its domain allows (RFC 1870).
 *
 * Checked three times, as more is known: the announced size at MAIL against the node's limit, at RCPT against the
 * limit of the recipient's domain, and the true size at the end of data.
 */
import { defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { smtpSettings } from '../../settings.ts';

type Observation = { readonly bytes: number };

const UNSAID: Observation = Object.freeze({ bytes: 0 });

export const messageSize = defineCheck({
  id: 'messageSize',
  stage: ['mail', 'rcpt', 'message'],
  scope: 'server',
  guide: 'Maximum message size',
  exempt: [],
  clear: UNSAID,
  protects: true,
  codes: { 'too-large': 'the message is larger than the limit' },
  settings: { maxBytes: smtpSettings.maxMessageBytes },

  observe(view: Views['mail' | 'rcpt' | 'message']): Observation {
    if (view.stage === 'message') return { bytes: view.content.sizeBytes };
    const { sizeBytes = 0 } = view.parameters;
    return sizeBytes === 0 ? UNSAID : { bytes: sizeBytes };
  },

  judge({ bytes }, { maxBytes }) {
    if (bytes <= maxBytes) return NOTHING;
    const text = `the message is too large: ${bytes} bytes, the limit is ${maxBytes}`;
    // RFC 1870 6.1: 552, with RFC 3463 X.3.4 "message too big for system".
    return [{ code: 'too-large', action: 'refuse', text, reply: { code: 552, enhanced: '5.3.4', text } }];
  },
});
