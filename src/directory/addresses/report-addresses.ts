/**
 * The addresses of a domain for reports from other servers (`rua`, `ruf`, TLS-RPT): mail to them goes neither to an
 * account nor to the domain's servers, but to the reader of reports, under a destination that exists on this node
 * only.
 */
import type { Address } from '../../model/address.ts';
import { makeAddress } from '../../protocol/smtp/address.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import { defineSettings, list } from '../../settings/define.ts';

/** The destination; nobody outside can have `.internal`. */
export const REPORT_SINK = 'reports.postern.internal';

const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;

export const reportAddressSettings = defineSettings('report', {
  addresses: list(
    [],
    'The local parts of the addresses that others send DMARC and TLS reports to, for example `dmarc-reports` for dmarc-reports@example.com. Mail to them is read here, shown by `postern report incoming`, and goes nowhere else. Publish the address in the domain’s DMARC record (`rua=mailto:dmarc-reports@example.com`) and in `_smtp._tls`.',
    {
      scope: 'domain',
      maxItems: 20,
      check: (values) =>
        values.every((value) => value.length <= 64 && LOCAL_PART.test(value))
          ? undefined
          : 'must be local parts, without @ and domain',
    },
  ),
});

/** The destination of such mail; undefined for all other addresses. */
export function reportTarget({ local, domain }: Address, settings: SettingsSnapshot): Address | undefined {
  const names = settings.get(reportAddressSettings.addresses, { domain });
  if (names.length === 0) return undefined;
  const wanted = local.toLowerCase();
  return names.some((name) => name.toLowerCase() === wanted) ? makeAddress(domain, REPORT_SINK) : undefined;
}
