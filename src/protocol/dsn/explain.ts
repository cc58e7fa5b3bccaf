/**
 * Status codes (RFC 3463, IANA's registry) as text for somebody who does not run mail servers: what happened, and
 * what the reader can do about it.
 */
export interface Explanation {
  readonly why: string;
  readonly advice: string;
}

const ASK_RECIPIENT = 'Reach the recipient in another way and let them know; only their side can change this.';
const ASK_OWN = 'Show this message to the people who run your mail system.';

/** By subject and detail, for both classes if the text fits both. */
const BY_DETAIL: Readonly<Record<string, Explanation>> = {
  '1.1': {
    why: 'There is no mailbox with this address.',
    advice: 'Look for typing mistakes in the part before the @, or ask the recipient for the right address.',
  },
  '1.2': {
    why: 'The domain of this address (the part behind the @) does not exist or takes no mail.',
    advice: 'Look for typing mistakes in the part behind the @.',
  },
  '1.3': {
    why: 'This is not a valid address.',
    advice: 'Look for typing mistakes, blanks and stray characters in the address.',
  },
  '1.6': {
    why: 'The mailbox has moved, and its new address is not known.',
    advice: 'Ask the recipient for the new address.',
  },
  '1.7': { why: "The recipient's mail system does not accept your address as a sender.", advice: ASK_OWN },
  '1.8': { why: "The recipient's mail system does not accept your address as a sender.", advice: ASK_OWN },
  '1.10': {
    why: 'The domain of this address declares that it takes no mail at all.',
    advice: 'Ask the recipient for another address.',
  },
  '2.1': { why: 'The mailbox is switched off and takes no mail.', advice: ASK_RECIPIENT },
  '2.2': {
    why: "The recipient's mailbox is full.",
    advice: 'Send it again later, or tell the recipient in another way.',
  },
  '2.3': {
    why: 'The message is larger than this recipient may receive.',
    advice: 'Send a smaller message, for example without attachments.',
  },
  '3.1': { why: "The recipient's mail system is full at the moment.", advice: 'Send it again later.' },
  '3.2': { why: "The recipient's mail system takes no mail at the moment.", advice: 'Send it again later.' },
  '3.4': {
    why: "The message is larger than the recipient's mail system accepts.",
    advice: 'Send a smaller message, for example without attachments.',
  },
  '4.1': {
    why: "The recipient's mail system does not answer.",
    advice: 'Look for typing mistakes in the part behind the @; otherwise send it again later.',
  },
  '4.2': { why: "The connection to the recipient's mail system broke off.", advice: 'Send it again later.' },
  '4.3': {
    why: "The recipient's mail system could not be looked up, as a directory did not answer.",
    advice: 'Send it again later.',
  },
  '4.4': {
    why: 'No mail system could be found for the domain of this address (the part behind the @).',
    advice: 'Look for typing mistakes in the part behind the @.',
  },
  '4.6': { why: 'The message went in a circle between mail systems.', advice: ASK_OWN },
  '4.7': {
    why: 'The message could not be delivered in the time allowed for it.',
    advice: 'Send it again later, or reach the recipient in another way.',
  },
  '5.3': {
    why: "The message has more recipients than the recipient's mail system accepts at once.",
    advice: 'Send it to fewer recipients at a time.',
  },
  '6.3': {
    why: "The message holds characters that the recipient's mail system cannot take, and it could not be converted without damage.",
    advice: 'Send it without a signature or encryption, or put its content into an attachment.',
  },
  '6.7': {
    why: "The address has characters outside English, and the recipient's mail system does not know such addresses.",
    advice: 'Ask the recipient for an address in plain English characters.',
  },
  '6.9': {
    why: "The header of the message has characters outside English, and the recipient's mail system does not know such headers.",
    advice: 'Send it with names and subject in plain English characters.',
  },
  '7.1': {
    why: "The recipient's mail system does not permit this message.",
    advice: 'Its own words above may say why. If they do not, reach the recipient in another way.',
  },
  '7.10': { why: "The link to the recipient's mail system is not encrypted as required.", advice: ASK_OWN },
  '7.25': { why: "The recipient's mail system could not make sure which server sent the message.", advice: ASK_OWN },
  '7.26': {
    why: "The recipient's mail system could not make sure that the message is really from you.",
    advice: ASK_OWN,
  },
  '7.27': {
    why: 'The domain of your address declares that it takes no mail, so no answer could reach you.',
    advice: ASK_OWN,
  },
  '7.30': {
    why: "The message demands an encrypted way that the recipient's mail system does not offer.",
    advice: ASK_OWN,
  },
};

/** By subject alone (RFC 3463 2). */
const BY_SUBJECT: Readonly<Record<string, Explanation>> = {
  '1': { why: 'Something is wrong with this address.', advice: 'Look for typing mistakes in the address.' },
  '2': { why: "The recipient's mailbox could not take the message.", advice: ASK_RECIPIENT },
  '3': { why: "The recipient's mail system could not take the message.", advice: 'Send it again later.' },
  '4': { why: "The message could not be brought to the recipient's mail system.", advice: 'Send it again later.' },
  '5': { why: "The recipient's mail system and ours did not understand each other.", advice: ASK_OWN },
  '6': {
    why: "The recipient's mail system cannot take a message of this form.",
    advice: 'Send it in a simpler form, for example as plain text.',
  },
  '7': {
    why: "The recipient's mail system refused the message for reasons of security or policy.",
    advice: 'Its own words above may say why. If they do not, reach the recipient in another way.',
  },
};

const UNKNOWN: Explanation = {
  why: "The recipient's mail system did not take the message and gave no reason that we can explain.",
  advice: ASK_RECIPIENT,
};

export function explain(status: string): Explanation {
  const [, subject = '', detail = ''] = status.split('.');
  return BY_DETAIL[`${subject}.${detail}`] ?? BY_SUBJECT[subject] ?? UNKNOWN;
}
