/**
 * Block lists: senders that are blocked by address, host or network; for the node, a domain, or a user.
 * directory/rules/lists.ts decides which entry counts. The session and MAIL are judged at RCPT, the From field at the
 * end of data.
 */
import { defineSettings, flag } from '../../../settings/define.ts';
import { defineCheck, NOTHING, type Views } from '../../engine/check.ts';

type Observation = { readonly met: 'envelope' | 'header' };

const AT: Readonly<Record<'rcpt' | 'message', Observation>> = {
  rcpt: Object.freeze({ met: 'envelope' }),
  message: Object.freeze({ met: 'header' }),
};

const LATER = { code: 451, enhanced: '4.3.0', text: 'cannot check the sender now, try again later' } as const;

const own = defineSettings('blockList', {
  disconnect: flag(false, 'Ends the session of a sender who is refused because of a block list.', { scope: 'domain' }),
});

export const blockList = defineCheck({
  id: 'blockList',
  stage: ['rcpt', 'message'],
  guide: 'Block lists',
  exempt: ['authenticated', 'domainMailServer'],
  protects: true,
  policy: { enabled: true, action: 'refuse', quarantine: 'user', score: 0 },
  codes: { blocked: 'the sender is on a block list', 'cannot-tell': 'the block lists cannot be read now' },
  settings: own,

  observe: ({ stage }: Views['rcpt' | 'message']): Observation => AT[stage],

  judge({ met }, { disconnect }, context) {
    const listing = context?.listing;
    if (context?.listsUntold) return [{ code: 'cannot-tell', outcome: 'error', action: 'defer', reply: LATER }];
    if (listing?.list !== 'block' || listing.met !== met) return NOTHING;
    const whose = listing.owner === '' ? 'the block list' : `the block list of ${listing.owner}`;
    const reply = {
      code: 550,
      enhanced: '5.7.1',
      text: 'your mail is not wanted here',
      ...(disconnect && { close: true }),
    };
    return [{ code: 'blocked', text: `the sender is on ${whose}: ${listing.kind} ${listing.value}`, reply }];
  },
});
