/**
 * Recipient verification: a local recipient must exist, and its mail must have a destination.
 *
 * Refusing at RCPT leaves the notification to the sending server, so nothing goes back to forged senders. Three
 * answers: if existence is unknown now, or the domain has neither mail server nor mailboxes yet, a temporary 451; for
 * a mailbox that a source reports as full or disabled, a 452 or 450. postmaster and abuse always exist (RFC 5321
 * 4.5.1).
 */
import type { Directory } from '../../../directory/contract.ts';
import type { Address } from '../../../model/address.ts';
import { andThen, isPromise, type MaybePromise } from '../../../model/maybe-promise.ts';
import { type CheckServices, defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { tellNoDestination } from '../../session/no-destination.ts';

type Existence =
  | 'exists'
  | 'unknown-user'
  | 'forged-return'
  | 'expired-return'
  | 'disabled'
  | 'unavailable'
  | 'full'
  | 'cannot-tell'
  | 'unverified'
  | 'no-destination';
type Observation = {
  readonly recipient: Existence;
  /** Why the directory does not know (`cannot-tell`, `unverified`), for the administrator. */
  readonly reason?: string;
};

const seen = (recipient: Existence): Observation => Object.freeze({ recipient });
const EXISTS = seen('exists');
const OBSERVATIONS = {
  unknown: seen('unknown-user'),
  forged: seen('forged-return'),
  expired: seen('expired-return'),
  disabled: seen('disabled'),
  unavailable: seen('unavailable'),
  full: seen('full'),
  noDestination: seen('no-destination'),
};

export const recipientExists = defineCheck({
  id: 'recipientExists',
  stage: 'rcpt',
  guide: 'Recipient Verification',
  exempt: [],
  clear: EXISTS,
  protects: true,
  codes: {
    'unknown-user': 'the local domain has no such account or alias',
    'forged-return': 'a bounce address (SRS) that this node never made',
    'expired-return': 'a bounce address (SRS) whose time is over',
    disabled: 'the account is disabled and takes no mail',
    unavailable: 'a source says that the mailbox exists and takes no mail now',
    full: 'a source says that the mailbox exists and is full',
    'cannot-tell': 'the directory cannot say now whether the recipient exists',
    unverified: 'no source can say now whether the recipient exists, and settings accept that',
    'no-destination': 'the domain has neither a mail server nor mailboxes',
  },
  settings: {},

  observe({ resolution, recipient }: Views['rcpt'], services: CheckServices): MaybePromise<Observation> {
    switch (resolution.kind) {
      case 'remote':
        return EXISTS;
      case 'unknown-user':
        if (resolution.return) return resolution.return === 'forged' ? OBSERVATIONS.forged : OBSERVATIONS.expired;
        return OBSERVATIONS.unknown;
      case 'disabled':
        return OBSERVATIONS.disabled;
      case 'unavailable':
        return resolution.why === 'full' ? OBSERVATIONS.full : OBSERVATIONS.unavailable;
      case 'cannot-tell':
        return { recipient: 'cannot-tell', reason: resolution.reason };
    }
    const unsure = resolution.kind === 'local' ? resolution.unsure : undefined;
    return andThen(allReachable(resolution.targets, services.directory), (reachable) => {
      if (reachable) return unsure === undefined ? EXISTS : { recipient: 'unverified', reason: unsure };
      tellNoDestination(services, recipient.address.domain);
      return OBSERVATIONS.noDestination;
    });
  },

  judge({ recipient, reason }) {
    switch (recipient) {
      case 'exists':
        return NOTHING;
      case 'unknown-user':
        return [
          {
            code: 'unknown-user',
            action: 'refuse',
            reply: { code: 550, enhanced: '5.1.1', text: 'no such recipient here' },
          },
        ];
      case 'forged-return': {
        const text = 'this node did not make that return address';
        return [{ code: 'forged-return', action: 'refuse', reply: { code: 550, enhanced: '5.1.1', text } }];
      }
      case 'expired-return': {
        const text = 'the time of this return address is over';
        return [{ code: 'expired-return', action: 'refuse', reply: { code: 550, enhanced: '5.1.1', text } }];
      }
      case 'disabled':
        return [
          {
            code: 'disabled',
            action: 'refuse',
            reply: { code: 550, enhanced: '5.2.1', text: 'mailbox disabled, not accepting messages' },
          },
        ];
      case 'unavailable': {
        const text = 'this mailbox takes no mail now, try again later';
        return [{ code: 'unavailable', action: 'defer', reply: { code: 450, enhanced: '4.2.1', text } }];
      }
      case 'full': {
        const text = 'this mailbox is full, try again later';
        return [{ code: 'full', action: 'defer', reply: { code: 452, enhanced: '4.2.2', text } }];
      }
      case 'cannot-tell': {
        const reply = {
          code: 451,
          enhanced: '4.4.3',
          text: 'cannot tell now whether this recipient exists, try again later',
        };
        const text = `the directory cannot say now whether the recipient exists: ${reason}`;
        return [{ code: 'cannot-tell', outcome: 'error', text, action: 'defer', reply }];
      }
      case 'unverified': {
        const text = `accepted unverified, as no source can say whether the recipient exists: ${reason}`;
        return [{ code: 'unverified', outcome: 'error', text, action: 'accept' }];
      }
      case 'no-destination': {
        const text = 'this domain cannot take mail at the moment, try again later';
        return [{ code: 'no-destination', action: 'defer', reply: { code: 451, enhanced: '4.3.5', text } }];
      }
    }
  },
});

/** Every copy must have a destination, or one of them would wait until it bounces. */
function allReachable(targets: readonly Address[], directory: Directory): MaybePromise<boolean> {
  if (targets.length === 1) return isReachable(targets[0]!, directory);
  const answers = targets.map((target) => isReachable(target, directory));
  if (answers.some(isPromise)) return Promise.all(answers).then((all) => !all.includes(false));
  return !answers.includes(false);
}

function isReachable({ domain }: Address, directory: Directory): MaybePromise<boolean> {
  return andThen(directory.mailServers(domain), (servers) => {
    if (servers.length > 0) return true;
    // The domain has no server of its own: it is reachable only if it is remote, by MX or smart host.
    return andThen(directory.domain(domain), (local) => local === undefined);
  });
}
