/**
 * Every exported function that may read what strangers sent has a growth test, or a reason to have none. A new
 * one without either fails here.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../../src');
const ROOMS = ['protocol', 'screen', 'report/incoming', 'world/resolver', 'wire'];

/** By file, or by file and function. */
const EXEMPT: Readonly<Record<string, string>> = {
  'protocol/dmarc-report/xml.ts isTree': 'looks at one value',
  'protocol/dmarc-report/xml.ts children': 'looks at one value',
  'protocol/dmarc-report/xml.ts child': 'looks at one value',
  'protocol/confusables/jaro-winkler.ts withPrefix': 'arithmetic',
  'protocol/confusables/letters.ts bitCount': 'arithmetic',
  'protocol/confusables/skeleton.ts decomposed': 'within skeleton',
  'protocol/dkim/fields.ts fieldValue': 'one slice, within signedHeader',
  'protocol/dkim/record.ts formatKeyRecord': 'writes what is ours',
  'protocol/dkim/signature.ts draftDkim': 'joins what foldWords and selectFields made',
  'protocol/dkim/read-key.ts bitsOf': 'arithmetic',
  'protocol/dkim/verify.ts isSignedBy': 'one signature, whose price is bounded',
  'protocol/dkim/verify.ts priceOf': 'arithmetic',
  'protocol/mime/encoded-words.ts decodeQ': 'within decodeUnstructured and decodeLoosely',
  'protocol/mime/encoded-words.ts printable': 'within decodeUnstructured and decodeLoosely',
  'protocol/network/doubt.ts networkMust': 'writes a network that was read',
  'protocol/network/segments.ts createSegments': 'made of a setting, within createNetworkTable',
  'protocol/network/suffix-doubt.ts suffixMust': 'writes what was read',
  'protocol/dsn/date.ts': 'writes a number',
  'protocol/dsn/explain.ts': 'looks in a table',
  'protocol/dsn/compose.ts recipientTexts': 'within composeDsn',
  'protocol/dsn/human-text.ts aboutRecipient': 'within humanText',
  'protocol/dsn/human-text.ts subjectOf': 'looks at actions, within composeDsn',
  'protocol/dsn/status-fields.ts recipientFields': 'within statusFields',
  'protocol/dsn/status-fields.ts needsUtf8': 'within composeDsn',
  'protocol/mime/hex.ts': 'one character',
  'protocol/mime/lines.ts lineCursor': 'makes an object',
  'protocol/mime/lines.ts byteFacts': 'reads three values',
  'protocol/mime/seven-bit.ts createSevenBitConverter': 'the same as toSevenBit, over the builder of trees',
  'protocol/mime/walk-header.ts nextField': 'with walkHeader',
  'protocol/mime/walk-header.ts headerEnd': 'reads three values',
  'protocol/minger/minger.ts mingerDigest': 'one hash',
  'protocol/minger/minger.ts formatMingerQuery': 'writes what is ours',
  'protocol/minger/minger.ts formatMingerAnswer': 'writes what was read',
  'protocol/minger/minger.ts verifyMingerDigest': 'one hash',
  'protocol/sasl/client.ts': 'its messages are read by scram.ts',
  'protocol/sasl/oauth.ts formatXoauth2': 'writes what is ours',
  'protocol/sasl/oauth.ts formatOauthFailure': 'writes what is ours',
  'protocol/sasl/oauth.ts formatXoauth2Failure': 'writes what is ours',
  'protocol/sasl/plain.ts formatPlain': 'writes what is ours',
  'protocol/sasl/scram.ts formatServerFirst': 'writes what is ours',
  'protocol/sasl/scram.ts makeVerifier': 'costs iterations, which are ours to choose',
  'protocol/sasl/scram.ts verifyProof': 'hashes of bounded messages',
  'protocol/sasl/scram.ts formatServerFinal': 'hashes of bounded messages',
  'protocol/sasl/scram.ts saltPassword': 'costs iterations, which client.ts bounds',
  'protocol/sasl/scram.ts clientFinal': 'hashes of bounded messages',
  'protocol/sasl/scram.ts clientFinalFrom': 'hashes of bounded messages',
  'protocol/smtp/format-command.ts': 'writes addresses that were read and bounded',
  'protocol/smtp/line-scan.ts isStuffable': 'looks at three octets',
  'protocol/smtp/parsed.ts': 'makes an object',
  'report/incoming/normalise.ts': 'copies values that were read and bounded',
  'report/incoming/read.ts': 'joins readers that are here: the tree, the encodings, XML, JSON and fields',
  'report/incoming/reader.ts': 'hands octets to a thread',
  'report/incoming/sink.ts': 'hands octets to a thread',
  'report/incoming/statements.ts': 'writes queries',
  'report/incoming/unpack.ts unpack': 'zlib and yauzl, bounded by UNPACKED_BYTES; in a thread',
  'screen/engine/check.ts': 'declares',
  'screen/sender/claims.ts senderByClaim': 'compares facts of the session',
  'screen/engine/decide.ts': 'compares findings',
  'screen/engine/engine.ts': 'runs checks, whose readers are here',
  'screen/engine/evidence.ts': 'copies what checks saw',
  'screen/session/header.ts readHeader': 'reads content; headFacts reads the header',
  'screen/session/header.ts messageFacts': 'copies three values',
  'screen/session/message.ts': 'runs checks, whose readers are here',
  'screen/sender/nat.ts': 'counts addresses',
  'screen/session/no-destination.ts': 'tells an event',
  'screen/session/pending.ts': 'runs checks, whose readers are here',
  'screen/engine/plan.ts': 'made at the start',
  'screen/engine/runs.ts': 'counts checks',
  'screen/engine/policies.ts': 'resolves settings',
  'screen/sender/proven.ts': 'compares what was seen',
  'screen/replay/replay.ts': 'judges what was seen',
  'screen/replay/log.ts': 'judges what was seen, message by message',
  'screen/replay/recheck.ts': 'runs checks, whose readers are here',
  'screen/replay/runner.ts': 'starts a thread',
  'screen/replay/unknown.ts': 'compares settings',
  'screen/session/session.ts': 'runs checks, whose readers are here',
  'screen/sender/exemptions.ts': 'compares addresses that were read',
  'screen/sender/grants.ts': 'compares addresses that were read',
  'screen/sender/shielding.ts': 'asks tables of networks',
  'screen/sender/recipient-context.ts': 'compares addresses that were read',
  'screen/checks/origin/ask.ts': 'counts questions',
  'screen/checks/origin/bimi-record.ts': 'asks the DNS',
  'screen/checks/origin/signatures/arc-chain.ts': 'reads results with parseAuthResults; the chain is the library’s',
  'screen/checks/origin/dmarc/evidence.ts': 'asks the DNS',
  'screen/checks/origin/dmarc/judgement.ts': 'compares what was seen',
  'screen/checks/origin/dmarc/settings.ts': 'writes a bounded field',
  'screen/checks/origin/dmarc/evaluation.ts': 'asks the DNS',
  'screen/checks/origin/signatures/flags.ts': 'splits one bounded tag',
  'screen/checks/origin/kept.ts': 'a cache',
  'screen/checks/origin/signatures/keys.ts': 'a cache',
  'screen/checks/origin/spf/relays.ts trustedRelays': 'reads a setting',
  'screen/checks/origin/spf/relays.ts relaysOf': 'reads a setting',
  'screen/checks/origin/result-fields.ts': 'reads fields with mayClaim',
  'screen/checks/origin/signatures/body-hashing.ts': 'hashes with dkim/body-hashes.ts',
  'screen/checks/origin/signatures/one-signature.ts': 'reads with dkim/*.ts',
  'screen/session/look-ups.ts': 'compares addresses',
  'screen/session/evidence.ts': 'copies what was seen',
  'screen/looking.ts': 'digests settings',
  'screen/sender/origin-fields.ts': 'reads with mime/author.ts',
  'screen/session/recipient.ts': 'runs checks, whose readers are here',
  'screen/engine/observation.ts': 'looks at what was seen',
  'screen/checks/reverse-lookup/reverse.ts': 'asks the DNS',
  'screen/checks/origin/said.ts': 'writes what was read',
  'screen/checks/origin/signatures/signatures.ts verifySignatures':
    'the library’s, bounded in signatures, octets and lines',
  'screen/checks/origin/spf/judgement.ts': 'compares what was seen',
  'screen/checks/origin/spf/evaluation.ts': 'asks the DNS',
  'screen/checks/origin/verification.ts': 'remembers what was verified',
  'screen/checks/identity/people.ts namedIndex': 'made of a setting',
  'screen/checks/identity/people.ts accountIndex': 'made of the directory',
  'wire/admission.ts': 'counts addresses',
  'wire/channel-binding.ts': 'asks TLS',
  'wire/client-certificate.ts': 'looks at CERTIFICATE_NAMES names',
  'wire/client/connection.ts': 'opens sockets',
  'wire/client/deadlines.ts': 'compares times',
  'wire/client/exchange.ts': 'sends what content.ts made, reads what the reply parser read',
  'wire/client/opening.ts': 'reads what the reply parser read',
  'wire/client/outbox.ts': 'copies once',
  'wire/client/salting.ts': 'a cache',
  'wire/client/sign-in.ts': 'reads challenges with scram.ts',
  'wire/client/transport.ts': 'opens sockets',
  'wire/connection.ts': 'holds a socket; framing.ts reads',
  'wire/fair-line.ts': 'counts',
  'wire/handshakes.ts': 'counts addresses',
  'wire/network.ts siteOf': 'looks at a canonical address',
  'wire/network.ts providerOf': 'looks at a canonical address',
  'wire/inbox.ts': 'holds a buffer; framing.ts reads',
  'wire/listener.ts': 'opens sockets',
  'wire/network.ts isLoopback': 'looks at a canonical address',
  'wire/preface.ts': 'reads with proxy/header.ts',
  'wire/sasl/bearer.ts': 'reads with sasl/oauth.ts',
  'wire/sasl/scram.ts': 'reads with sasl/scram.ts',
  'wire/sasl/server.ts': 'reads with sasl/*.ts',
  'wire/sasl/steps.ts': 'makes an object',
  'world/resolver/ask.ts': 'asks; wire.ts reads',
  'world/resolver/cache.ts': 'a cache',
  'world/resolver/exchange.ts exchange': 'asks; wire.ts reads',
  'world/resolver/outage.ts': 'counts',
  'world/resolver/servers.ts fixedServers': 'made of a setting',
  'world/resolver/servers.ts systemServers': 'reads a file of this machine',
  'world/resolver/servers.ts isTrusted': 'compares addresses',
  'world/resolver/look-ups.ts': 'counts',
  'world/resolver/measures.ts': 'counts',
  'world/resolver/owned.ts': 'counts',
  'world/resolver/places.ts': 'counts',
  'world/resolver/shares.ts': 'counts',
  'world/resolver/shortage.ts': 'counts',
  'world/resolver/stub.ts': 'asks; wire.ts reads',
  'world/resolver/wire.ts encodeQuery': 'writes a bounded question',
  'world/resolver/wire.ts denialSeconds': 'reads one number, with decodeData',
};

test('every exported function that may read what strangers sent has a growth test, or a reason to have none', () => {
  const names = ROOMS.flatMap(exportedFunctions);
  const covered = coveredFunctions();
  const missing = names.filter((name) => !covered.has(name) && !(name in EXEMPT) && !(fileOf(name) in EXEMPT));
  assert.deepEqual(missing, []);
});

test('no growth test and no exemption is of a function that is not there', () => {
  const names = new Set(ROOMS.flatMap(exportedFunctions));
  const files = new Set([...names].map(fileOf));
  const exempt = Object.keys(EXEMPT).filter((name) => !names.has(name) && !files.has(name));
  const stale = [...coveredFunctions()].filter(
    (name) => ROOMS.some((room) => name.startsWith(room)) && !names.has(name),
  );
  assert.deepEqual([...exempt, ...stale], []);
});

function fileOf(name: string): string {
  return name.split(' ')[0]!;
}

/** `folder/file.ts name`. */
function exportedFunctions(room: string): readonly string[] {
  return globSync('**/*.ts', { cwd: join(ROOT, room) })
    .sort()
    .flatMap((file) =>
      [
        ...readFileSync(join(ROOT, room, file), 'utf8').matchAll(/^export (?:async )?(?:function\*?|class) (\w+)/gm),
      ].map((found) => `${room}/${file} ${found[1]}`),
    );
}

/** As the tables of the files beside this one name them. */
function coveredFunctions(): ReadonlySet<string> {
  const tables = globSync('*.test.ts', { cwd: import.meta.dirname }).filter((file) => file !== 'coverage.test.ts');
  return new Set(
    tables.flatMap((file) =>
      [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/^ {2}'(\S+\.ts \w+)': row\(/gm)].map(
        (found) => found[1]!,
      ),
    ),
  );
}
