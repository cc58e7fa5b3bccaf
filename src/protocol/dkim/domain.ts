/** Names in signatures as the DNS has them: U-labels are the same names as their A-labels (RFC 8616 3). */
import { domainToASCII } from 'node:url';
import { isAsciiText } from '../smtp/domain.ts';

/** Label by label, since the mapping refuses underscores in a name; a label that has no A-label stays. */
export function asciiDomain(name: string): string {
  if (isAsciiText(name)) return name;
  return name
    .split('.')
    .map((label) =>
      isAsciiText(label) || /[\p{M}\uff9e\uff9f]{31}/u.test(label)
        ? label
        : domainToASCII(label.normalize('NFC')) || label,
    )
    .join('.');
}
