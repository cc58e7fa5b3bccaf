/**
 * What a stranger's signatures cost. Times are compared with those of an honest piece of the same work,
 * made in the same process at the same moment; the least of several runs counts.
 */
import assert from 'node:assert/strict';
import { createPublicKey, verify as verifyBytes } from 'node:crypto';
import test from 'node:test';
import { AUTHENTICATION_LIMITS } from '../../../../src/screen/checks/origin/limits.ts';
import { rsaKey, type SignOptions, type StrangersKey, sign } from './keys.ts';
import { signed, verify } from './signed.ts';
import { type TableRecords, tableResolver, txt } from './table-resolver.ts';

const HEADER =
  'From: Bob <bob@example.org>\r\nTo: alice@example.com\r\nSubject: hello\r\nDate: Sun, 4 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n';
const LETTER = `${HEADER}One line.\r\n`;
const LARGE = `${HEADER}${'a line of  words \r\n'.repeat(140_000)}`;
const CHUNK = 64 * 1024;

const key = rsaKey('example.org', 'one');
const zone: Record<string, TableRecords> = { [key.name]: { TXT: [txt(key.record)] } };

const field = async (message: string, by: StrangersKey, options: SignOptions = {}): Promise<string> =>
  (await sign(message, by, options)).slice(0, -message.length);

/** The content, and how much of it was read. */
function counted(message: string, chunkBytes = CHUNK) {
  const made = signed(message, chunkBytes);
  const read = { opens: 0, bytes: 0 };
  const open: typeof made.content.open = (range) => {
    read.opens++;
    const stream = made.content.open(range);
    const { push } = stream;
    stream.push = (chunk, ...rest) => {
      read.bytes += (chunk as Uint8Array | null)?.length ?? 0;
      return push.call(stream, chunk, ...rest);
    };
    return stream;
  };
  return { message: { ...made, content: { ...made.content, open } }, read };
}

async function cpuOf(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  await work();
  for (let run = 0; run < 5; run++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

test('an attacker signs ten times over megabytes without a key in the DNS: the body is not even read', async () => {
  const one = await field(LARGE, key);
  const { message, read } = counted(one.repeat(10) + LARGE);
  const { dkim } = await verify(message, tableResolver({}));
  assert.deepEqual(
    new Set(dkim.signatures.map(({ result, detail }) => `${result} ${detail}`)),
    new Set(['neutral no key']),
  );
  assert.equal(read.opens, 0);
});

test('an attacker brings keys, and signatures that are wrong: the body is not read either', async () => {
  const one = await field(LARGE, key);
  const { message, read } = counted(one.repeat(10) + LARGE.replace('hello', 'hullo'));
  const { dkim } = await verify(message, tableResolver(zone));
  assert.ok(dkim.signatures.every(({ result, detail }) => result === 'fail' && detail === 'bad signature'));
  assert.equal(read.opens, 0);
});

test('an attacker asks for ten different hashes of a body by c= and l=: it is read once, hashed twice, and parts vouch for nothing', async () => {
  let fields = '';
  for (const canonicalization of ['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'])
    fields = fields + (await field(LARGE, key, { canonicalization }));
  for (const maxBodyLength of [0, 1, 100, 10_000, 1_000_000])
    fields = (await field(LARGE, key, { maxBodyLength })) + fields;
  const { message, read } = counted(fields + LARGE);
  const { dkim } = await verify(message, tableResolver(zone));
  assert.deepEqual(
    dkim.signatures.map(({ result }) => result),
    [...Array(5).fill('policy'), ...Array(4).fill('pass')],
  );
  assert.equal(read.opens, 1);
});

test('an attacker signs the first octets of megabytes by l=: no more than those are read', async () => {
  const one = (await field(LARGE, key, { maxBodyLength: 1000 })) + (await field(LARGE, key, { maxBodyLength: 10 }));
  const { message, read } = counted(one + LARGE);
  const { dkim } = await verify(message, tableResolver(zone));
  for (const { result, flags } of dkim.signatures)
    assert.ok(result === 'policy' && flags.includes('body-added'), 'it is flagged, and passes for nothing');
  assert.ok(read.bytes < LARGE.length / 4, `${read.bytes} octets`);
});

test('a body over 1 MB is hashed beside the event loop, and comes out the same', async () => {
  const message = signed((await field(LARGE, key)) + LARGE, CHUNK);
  const ticks = async (work: Promise<unknown>): Promise<number> => {
    let count = 0;
    let isOver = false;
    void work.finally(() => {
      isOver = true;
    });
    for (; !isOver; count++) await new Promise((resolve) => setImmediate(resolve));
    return count;
  };
  const verifying = verify(message, tableResolver(zone));
  // At least one turn of the loop for each chunk that went to the thread.
  assert.ok((await ticks(verifying)) >= LARGE.length / CHUNK);
  assert.equal((await verifying).dkim.signatures[0]?.result, 'pass');
  const broken = await verify(
    { ...message, content: signed(`${LARGE}more\r\n`, CHUNK).content, bodyStart: message.bodyStart },
    tableResolver(zone),
  );
  assert.equal(broken.dkim.signatures[0]?.result, 'fail');
});

test('content that cannot be read ends a verification beside the loop as it does on it, and the next one works', async () => {
  const { message } = counted((await field(LARGE, key)) + LARGE);
  const open = (): never => {
    throw new Error('gone');
  };
  await assert.rejects(verify({ ...message, content: { ...message.content, open } }, tableResolver(zone)), /gone/);
  assert.equal((await verify(message, tableResolver(zone))).dkim.signatures[0]?.result, 'pass');
});

/** The same modulus with another exponent: nothing verifies by it, and trying costs as if it did. */
function withExponent(by: StrangersKey, exponent: Buffer): TableRecords {
  const jwk = createPublicKey(by.privateKey).export({ format: 'jwk' });
  const other = createPublicKey({ key: { ...jwk, e: exponent.toString('base64url') }, format: 'jwk' });
  return { TXT: [txt(`v=DKIM1; k=rsa; p=${other.export({ type: 'spki', format: 'der' }).toString('base64')}`)] };
}

test('an attacker brings keys that are expensive to verify with: those too large are permerror, the others have a price', async () => {
  const wide = rsaKey('example.org', 'wide', 3072);
  const long = Buffer.from(createPublicKey(wide.privateKey).export({ format: 'jwk' }).n!, 'base64url');
  const fields = (await field(LETTER, wide)).repeat(10) + LETTER;
  const tooLong = await verify(signed(fields), tableResolver({ [wide.name]: withExponent(wide, long) }));
  assert.deepEqual(new Set(tooLong.dkim.signatures.map(({ result }) => result)), new Set(['permerror']));

  const priced = await verify(
    signed(fields),
    tableResolver({ [wide.name]: withExponent(wide, Buffer.from('fffffffb', 'hex')) }),
  );
  const results = priced.dkim.signatures.map(({ result }) => result);
  assert.ok(results.includes('fail') && !results.includes('pass'));
});

test('an attacker puts ten expensive signatures above that of the author’s domain: his are left out, by name, and hers passes', async () => {
  const expensive = rsaKey('other.example', 'big', 4096);
  const own = await sign(LETTER, key);
  const fields = (await field(own, expensive)).repeat(20) + own;
  const records = { ...zone, [expensive.name]: withExponent(expensive, Buffer.from('fffffffb', 'hex')) };
  const { dkim } = await verify({ ...signed(fields), authors: ['example.org'] }, tableResolver(records));
  assert.equal(dkim.signatures.length, AUTHENTICATION_LIMITS.signatures);
  assert.equal(dkim.unread, 11);
  assert.deepEqual([dkim.signatures.at(-1)?.domain, dkim.signatures.at(-1)?.result], ['example.org', 'pass']);
  const out = dkim.signatures.filter(({ detail }) => detail === 'more public-key work than is done for one message');
  assert.ok(out.length > 0 && out.every(({ result }) => result === 'policy'));
});

async function sealed(sets: number, by: StrangersKey): Promise<string> {
  const { sealMessage } = await import('mailauth/lib/arc/index.js');
  let message = LETTER;
  for (let i = 0; i < sets; i++) {
    const headers = await sealMessage(Buffer.from(message, 'latin1'), {
      signingDomain: by.domain,
      selector: by.selector,
      privateKey: by.privateKey,
      algorithm: 'rsa-sha256',
      cv: i === 0 ? 'none' : 'pass',
      authResults: 'mx.example.org; dmarc=pass',
      signTime: new Date(Date.UTC(2026, 0, 4)),
    } as Parameters<typeof sealMessage>[1]);
    message = headers.toString('latin1') + message;
  }
  return message;
}

test('an attacker seals fifty times and signs ten times: all of it costs some hundred verifications, and fifty honest sets still hold', async () => {
  const chain = await sealed(50, key);
  const worst = signed((await field(chain, key)).repeat(10) + chain);
  const { arc, dkim } = await verify(worst, tableResolver(zone));
  assert.equal(arc.result, 'pass');
  assert.ok(dkim.signatures.every(({ result }) => result === 'pass'));

  const text = Buffer.from(LETTER);
  const { createSign } = await import('node:crypto');
  const signature = createSign('sha256').update(text).sign(key.privateKey);
  const object = createPublicKey(key.privateKey);
  const hundred = await cpuOf(() => {
    for (let i = 0; i < 100; i++) verifyBytes('sha256', text, object, signature);
  });
  const all = await cpuOf(() => verify(worst, tableResolver(zone)));
  assert.ok(all < 10 * hundred, `${all} us, and ${hundred} for a hundred verifications`);
});

test('an attacker seals fifty times with keys of 4096 bits: the chain is left out, by name', async () => {
  const large = rsaKey('example.org', 'large', 4096);
  const { arc } = await verify(
    signed(await sealed(50, large)),
    tableResolver({ [large.name]: { TXT: [txt(large.record)] } }),
  );
  assert.deepEqual([arc.result, arc.detail], ['fail', 'its seals cost more than is done for one message']);
});

test('an attacker puts a hundred and fifty-one ARC fields on a message: they are no chain', async () => {
  const { arc } = await verify(signed(`${'ARC-Seal: i=1\r\n'.repeat(151)}${LETTER}`), tableResolver(zone));
  assert.deepEqual([arc.result, arc.detail], ['fail', 'more than 50 sets']);
});
