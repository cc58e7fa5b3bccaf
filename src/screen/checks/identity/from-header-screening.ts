/**
 * From header screening: the reader must see the real sender.
 *
 * An address inside a display name, or in a comment shown as one, that is not the sender's is replaced by the
 * sender's; optionally the address is added to every name. Done in the copies for local recipients, as an edit of
 * their header: the stored message is unchanged, so signatures were verified over the signed content. A field with
 * groups is written without their names, which could hold another false address.
 */
import type { HeaderEdit } from '../../../model/content.ts';
import type { Mailbox } from '../../../protocol/mime/types.ts';
import { writeMailbox } from '../../../protocol/mime/write-mailbox.ts';
import { makeAddress } from '../../../protocol/smtp/address.ts';
import { defineSettings, flag } from '../../../settings/define.ts';
import { defineCheck, NOTHING, type Views } from '../../engine/check.ts';
import { exposeAddress } from './exposed.ts';
import { IDENTITY_LIMITS } from './limits.ts';
import { decodeName } from './names.ts';

type Author = { readonly name: string; readonly address: string; readonly exposed?: string };
type Observation = {
  readonly authors: readonly Author[];
  /** A group name that shows an address of none of its members; the field is named like its first member. */
  readonly lyingGroup?: Author;
  /** The field can be written anew without loss. */
  readonly writable: boolean;
};

const NO_EDITS: readonly HeaderEdit[] = NOTHING;

const own = defineSettings('fromHeaderScreening', {
  exposeMismatch: flag(
    false,
    'Replaces an address inside the display name of the From field that is not the sender’s by the real one: `"boss@example.com" <eve@other.example>` becomes `"eve@other.example" <eve@other.example>`. Look-alikes of the at-sign count. Off, since it changes the message: a signature over From no longer verifies behind this node, and mailing lists write such names themselves.',
    { scope: 'domain' },
  ),
  addAddress: flag(
    false,
    'Adds the address to the display name, for mail programs that show only the name: `"Bob" <bob@other.example>` becomes `"Bob (bob@other.example)" <bob@other.example>`. Take care: whoever verifies the DKIM signature again behind this server finds the From field changed.',
    { scope: 'domain' },
  ),
  addressFirst: flag(false, 'Puts an added address before the name: `"bob@other.example (Bob)" <bob@other.example>`.', {
    scope: 'domain',
  }),
});

export const fromHeaderScreening = defineCheck({
  id: 'fromHeaderScreening',
  stage: 'message',
  guide: 'From Header Screening',
  exempt: ['authenticated', 'domainMailServer', 'allowListed', 'ipShield'],
  protects: true,
  lazy: true,
  policy: { enabled: true, action: 'accept', quarantine: 'user', score: 1 },
  codes: { 'address-mismatch': 'the display name shows an address that is not the sender’s' },
  settings: own,

  observe({ header }: Views['message']): Observation {
    const [from] = header.author.lists;
    if (!from) return { authors: NOTHING, writable: false };
    const mailboxes = from.mailboxes.slice(0, IDENTITY_LIMITS.authors);
    const writable =
      header.author.fields === 1 &&
      mailboxes.length === from.mailboxes.length &&
      from.words === '' &&
      mailboxes.every(isWhole);
    const authors = mailboxes.map(readAuthor);
    const lyingGroup = lyingOf(from.groups, mailboxes);
    return { authors, ...(lyingGroup && { lyingGroup }), writable };
  },

  judge({ authors, lyingGroup }, _settings, context) {
    if (context?.direction === 'outbound') return NOTHING;
    const lies = authors.find(isLying) ?? lyingGroup;
    if (!lies) return NOTHING;
    return [
      {
        code: 'address-mismatch',
        text: `the display name "${lies.name}" shows an address, and ${lies.address} writes`,
      },
    ];
  },

  edits(seen, settings, { direction }) {
    if (direction === 'outbound' || !seen.writable || seen.authors.length === 0) return NO_EDITS;
    const names = seen.authors.map((author) => shownName(author, settings));
    const losesGroups = settings.exposeMismatch && seen.lyingGroup !== undefined;
    if (!losesGroups && seen.authors.every(({ name }, i) => name === names[i])) return NO_EDITS;
    const raw = seen.authors.map(({ address }, i) => writeMailbox(names[i]!, address)).join(',\r\n ');
    return [{ kind: 'replace', name: 'From', occurrence: 0, raw: `From: ${raw}\r\n` }];
  },
});

function isWhole({ local, domain }: Mailbox): boolean {
  return local !== '' && domain !== '';
}

/** A comment serves as a missing name; beside a name it counts if it shows another address. */
function readAuthor({ displayName, comment, local, domain }: Mailbox): Author {
  const address = makeAddress(local, domain).text;
  const name = decodeName(displayName ?? comment ?? '');
  const exposed = exposeAddress(name, address);
  if (exposed !== undefined) return { name, address, exposed };
  if (displayName === undefined || comment === undefined) return { name, address };
  const whole = `${name} (${decodeName(comment)})`;
  const inComment = exposeAddress(whole, address);
  return inComment === undefined ? { name, address } : { name: whole, address, exposed: inComment };
}

function lyingOf(groups: readonly string[], [first, ...others]: readonly Mailbox[]): Author | undefined {
  if (!first) return undefined;
  for (const displayName of groups.slice(0, IDENTITY_LIMITS.authors)) {
    const readings = [first, ...others].map(({ local, domain }) => readAuthor({ displayName, local, domain }));
    if (readings.every(isLying)) return readings[0];
  }
  return undefined;
}

function isLying({ exposed }: Author): boolean {
  return exposed !== undefined;
}

function shownName(
  { name, address, exposed }: Author,
  settings: { readonly exposeMismatch: boolean; readonly addAddress: boolean; readonly addressFirst: boolean },
): string {
  const shown = (settings.exposeMismatch ? exposed : undefined) ?? name;
  if (!settings.addAddress || shown === '' || shown.toLowerCase().includes(address.toLowerCase())) return shown;
  return settings.addressFirst ? `${address} (${shown})` : `${shown} (${address})`;
}
