/** Loop detection by counting Received fields (RFC 5321 6.3): a looping message is refused. */
import { defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { smtpSettings } from '../../settings.ts';

export const hops = defineCheck({
  id: 'hops',
  stage: 'message',
  guide: 'Maximum hop count',
  exempt: [],
  protects: true,
  codes: { 'too-many': 'the message went through so many servers that it must be in a loop' },
  settings: { maxHops: smtpSettings.maxHops },

  observe({ header }: Views['message']) {
    return { received: header.receivedCount };
  },

  judge({ received }, { maxHops }) {
    if (received <= maxHops) return NOTHING;
    const text = `too many hops, a mail loop is likely: ${received} Received fields, the limit is ${maxHops}`;
    return [{ code: 'too-many', action: 'refuse', text, reply: { code: 554, enhanced: '5.4.6', text } }];
  },
});
