/** Settings of signing: keys and their rotation, sealing, and the rewriting of forwarded senders. */
import { parseDomain } from '../../protocol/smtp/domain.ts';
import { amount, choice, defineSettings, flag, text } from '../../settings/define.ts';

const domainOrEmpty = (value: string): string | undefined =>
  value === '' || parseDomain(value).ok ? undefined : 'must be a domain name';

export const signingSettings = defineSettings('signing', {
  dkim: flag(
    true,
    'Make DKIM keys for the domain, and sign what its users and mail servers send. A key signs once its DNS record is seen; `postern dkim show` says what to publish.',
    { scope: 'domain' },
  ),
  ed25519: flag(
    true,
    'Sign with an Ed25519 key (RFC 8463) beside the RSA key. Receivers that do not know it look at the RSA signature.',
    { scope: 'domain' },
  ),
  selectors: choice(
    ['dated', 'pair'],
    'dated',
    'How key records are named. `dated`: each key has a name of its own, such as `p20260105r`. `pair`: two fixed names for each kind of key, which a domain points to the zone of `signing.recordZone` once, by CNAME; keys take turns behind them.',
    { scope: 'domain' },
  ),
  recordZone: text(
    '',
    "The zone that holds the key records of domains with `signing.selectors` set to `pair`, such as `dkim.gateway.example`: the record of `postern1._domainkey.example.com` is then published as `postern1.example.com.dkim.gateway.example`. Empty: the domain's own zone.",
    { scope: 'domain', maxLength: 200, check: domainOrEmpty },
  ),
  rotation: flag(
    true,
    'Make a new key when one is old. The old one signs until the new record is seen in the DNS, and its record must stay until `postern dkim list` calls it retired.',
    { scope: 'domain' },
  ),
  rotationDays: amount(180, 'days', { min: 30, max: 3650 }, 'How long a key signs before a new one is made.', {
    scope: 'domain',
  }),
  lifeDays: amount(
    7,
    'days',
    { min: 2, max: 60 },
    'How long a signature is valid (`x=`). Where this is not two days longer than `queue.expiryDays`, that and two days are used, since delayed mail would fail.',
  ),
  arc: flag(
    true,
    'Seal (ARC, RFC 8617) mail of strangers that is sent on to other domains or whose header was changed here, so that the next receiver can see what this node found when it came.',
    { scope: 'domain' },
  ),
  srs: flag(
    true,
    'Rewrite the sender address of mail that is forwarded to other domains (SRS), so that it passes SPF there and a bounce finds its way back through this node.',
    { scope: 'domain' },
  ),
  srsDomain: text(
    '',
    'The domain of rewritten senders. Its mail must come to this node, and its SPF record must name this node. Empty: the domain of the address that forwards.',
    { maxLength: 200, check: domainOrEmpty },
  ),
});
