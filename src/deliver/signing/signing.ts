/**
 * Signing, the last step before sending, when nothing will change the message any more.
 *
 * Mail of our own senders gets DKIM signatures; foreign mail that is forwarded or was changed here gets an ARC set,
 * and its reverse-path is rewritten (SRS) if it goes to other domains. Any other mail passes without its content
 * being read. Signatures are cached for the message's other recipients and next attempts, and computed anew when half
 * of their life is over or the keys have changed.
 */
import type { SigningKey } from '../../directory/signing-keys/dkim-keys.ts';
import { signingSettings } from '../../directory/signing-keys/settings.ts';
import type { BodyType } from '../../model/envelope.ts';
import { isOperational } from '../../model/errors.ts';
import type { Claim } from '../../queue/contract.ts';
import { queueSettings } from '../../queue/settings.ts';
import type { OutgoingContent } from '../../wire/client/types.ts';
import { createExpiring } from '../expiring.ts';
import { DELIVERY_LIMITS } from '../limits.ts';
import { arcFields, ownResults } from './arc.ts';
import { fromDomain, signersFor } from './author.ts';
import { dkimFields } from './dkim.ts';
import { scanBody, scanHeader, withPrefix } from './scan.ts';
import type { Outgoing, Signing, SigningServices } from './types.ts';

const DAY_MS = 86_400_000;
/** How much longer than the queue's lifetime a signature is valid: the next hop may have to wait, too. */
const BEYOND_QUEUE_DAYS = 2;

/** Fields on top of one variant in one form, and the keys that signed them. */
interface Kept {
  readonly fields: string;
  readonly domain: string;
  readonly keys: readonly SigningKey[];
}

export function createSigning(services: SigningServices): Signing {
  const { clock, events, settings, directory, dkim, srs } = services;
  const kept = createExpiring<Kept>(clock, DELIVERY_LIMITS.signatures);

  /** RFC 6376 3.5: a signature that expires while the message still waits would make it look forged. */
  function lifeMs(): number {
    const snapshot = settings.current();
    const days = Math.max(
      snapshot.get(signingSettings.lifeDays),
      snapshot.get(queueSettings.expiryDays) + BEYOND_QUEUE_DAYS,
    );
    return days * DAY_MS;
  }

  async function stillGood(name: string): Promise<string | undefined> {
    const found = kept.get(name);
    return found && (await dkim.active(found.domain)) === found.keys ? found.fields : undefined;
  }

  function keep(name: string, entry: Kept): string {
    kept.set(name, entry, lifeMs() / 2);
    return entry.fields;
  }

  function unsigned({ message }: Claim, domain: string, reason: 'not-aligned' | 'from' | 'header', detail: string) {
    events.emit('signing.unsigned', { message: message.id, domain, reason, detail });
    return undefined;
  }

  async function dkimOf(claim: Claim, content: OutgoingContent): Promise<Kept | undefined> {
    const { author = '' } = claim.message;
    const header = await scanHeader(content);
    if (!header) return unsigned(claim, author, 'header', 'the header can be read in more than one way');
    const from = fromDomain(header.fields);
    if (!from) return unsigned(claim, author, 'from', 'the From field does not name one domain');
    const signers = await signersFor(services, claim.message, from);
    if (signers.length === 0) return unsigned(claim, from, 'not-aligned', `${author} may not speak for it`);
    for (const domain of signers) {
      const keys = await dkim.active(domain);
      if (keys.length === 0 || !settings.current().get(signingSettings.dkim, { domain })) continue;
      const scanned = { header, bodyHash: await scanBody(content, header) };
      const fields = await dkimFields(scanned, keys, clock.now(), lifeMs());
      events.emit('signing.signed', { message: claim.message.id, domain, kind: 'dkim' });
      return { fields, domain, keys };
    }
    // No key yet: `postern dkim show` and the audit report it, not every message.
    return undefined;
  }

  async function arcOf(claim: Claim, content: OutgoingContent): Promise<Kept | undefined> {
    const { domain } = claim.recipients[0]!.original;
    const results = ownResults(claim);
    if (results === undefined || !settings.current().get(signingSettings.arc, { domain })) return undefined;
    const keys = await dkim.active(domain);
    const key = keys.find(({ algorithm }) => algorithm === 'rsa-sha256');
    const header = key && (await scanHeader(content));
    if (!header) return undefined;
    const scanned = { header, bodyHash: await scanBody(content, header) };
    const fields = await arcFields(scanned, results, key, clock.now());
    if (!fields) return undefined;
    events.emit('signing.signed', { message: claim.message.id, domain, kind: 'arc' });
    return { fields, domain, keys };
  }

  async function signatures(claim: Claim, content: OutgoingContent, body: BodyType): Promise<string> {
    const { message, edits, splices = [] } = claim;
    const isOurs = message.author !== undefined;
    // The size distinguishes a report from its shortened form.
    const { sizeBytes } = claim.content;
    // The same variant sealed for another domain has another set.
    const sealer = isOurs ? '' : claim.recipients[0]!.original.domain;
    const variant = splices.length === 0 ? '' : claim.content.sha256;
    const changes = edits.length === 0 ? '' : JSON.stringify(edits);
    const name = `${message.id} ${sizeBytes} ${body} ${sealer} ${variant} ${changes}`;
    try {
      const known = await stillGood(name);
      if (known !== undefined) return known;
      const made = isOurs ? await dkimOf(claim, content) : await arcOf(claim, content);
      return made ? keep(name, made) : '';
    } catch (error) {
      // Unreadable content cannot be sent either; a key that cannot be opened must not stop the mail.
      if (isOperational(error, 'content.missing') || isOperational(error, 'content.corrupt')) throw error;
      const detail = (error as Error).message;
      events.emit('signing.unsigned', { message: message.id, domain: sealer, reason: 'key', detail });
      return '';
    }
  }

  /** Only if it goes to a remote domain, from a remote domain. */
  async function reversePathOf({ message, recipients, destination }: Claim): Promise<Outgoing['reversePath']> {
    const { reversePath, author } = message;
    if (reversePath === null || author !== undefined || (await directory.domain(destination))) return reversePath;
    const { domain } = recipients[0]!.original;
    const snapshot = settings.current();
    if (!snapshot.get(signingSettings.srs, { domain }) || (await directory.domain(reversePath.domain)))
      return reversePath;
    return srs.forward(reversePath, snapshot.get(signingSettings.srsDomain) || domain);
  }

  return {
    concerns: (claim) => claim.message.author !== undefined || isSentOn(claim) || isChanged(claim),
    async prepare(claim, content, body) {
      const fields = await signatures(claim, content, body);
      const reversePath = await reversePathOf(claim);
      return { content: fields === '' ? content : withPrefix(content, fields), reversePath };
    },
  };
}

/** To other addresses than it was sent to. */
function isSentOn({ recipients }: Claim): boolean {
  return recipients.some(({ address, original }) => address !== original && address.domain !== original.domain);
}

/** The body, or a field of its sender, was changed, and either may have been signed. */
function isChanged({ edits, splices = [] }: Claim): boolean {
  return (
    splices.length > 0 || edits.some((edit) => edit.kind !== 'prepend' && !OWN_FIELDS.includes(edit.name.toLowerCase()))
  );
}

/** Forged ones in our name are removed; they are never signed. */
const OWN_FIELDS = ['authentication-results', 'received-spf'];
