/** Allow and block lists of a whole node, met by SMTP and explained by its log. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSink } from '../../src/cli/demo/sink.ts';
import { rsaKey, sign } from '../screen/checks/origin/keys.ts';
import { startZone } from '../support/zone.ts';
import { letter } from './support/client.ts';
import { explained, type Mail, PROXY, submit } from './support/clients.ts';
import { eventually, postern, startNode } from './support/node.ts';

const ALICE = 'alice@example.com';
const CAROL = 'carol@example.com';
const key = rsaKey('signed.example', 'one');

test('lists of a whole node', async (t) => {
  const exists = { A: ['192.0.2.80'] };
  const senders = ['remote', 'mail.spam', 'news', 'other', 'mailer', 'signed'].map((name) => [
    `${name}.example`,
    exists,
  ]);
  const zone = await startZone(t, {
    ...Object.fromEntries(senders),
    'partner.example': { ...exists, TXT: ['v=spf1 ip4:198.51.100.10 ~all'] },
    'mx.partner.example': { A: ['198.51.100.10'] },
    '10.100.51.198.in-addr.arpa': { PTR: ['mx.partner.example'] },
    'forbids.example': { ...exists, TXT: ['v=spf1 -all'] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
  });
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, {
    env: { POSTERN_TRUSTED_PROXIES: PROXY, POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` },
    setup: [
      ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
      ['user', 'add', ALICE],
      ['user', 'add', CAROL],
    ],
  });
  const list = (...args: string[]): Promise<string> => node.cli(['list', ...args]);
  const refusal = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stderr } = await postern(args, node.env, input);
    assert.notEqual(code, 0);
    return stderr;
  };
  const told = (mail: Mail) => submit(node, mail);
  const REFUSED = { recipients: ['550 5.7.1'] };
  const TAKEN = { recipients: ['250'], final: '250' };

  await t.test(
    'a sender is blocked by address, wildcard, network, name and HELO, and the log names the entry',
    async () => {
      const csv = join(node.data, 'block.csv');
      const rows = [
        'Comment,Sort,Entry,Type',
        'chain letters,1,eve@remote.example,address',
        'a whole domain and what is below,2,*@*.spam.example,',
        'any number,3,offer*@news.example,address',
        'a network,4,203.0.113.0/25,ip',
        'a name,5,*.botnet.example,host',
      ];
      writeFileSync(csv, `${rows.join('\r\n')}\r\n`);
      assert.match(await list('import', csv, '--list', 'block'), /imported 5 entries/);
      const blocked: readonly (readonly [entry: string, mail: Mail])[] = [
        ['address eve@remote.example', { client: '198.51.100.1', from: 'Eve@remote.example' }],
        ['address *@*.spam.example', { client: '198.51.100.1', from: 'x@mail.spam.example' }],
        ['address *@*.spam.example', { client: '198.51.100.1', from: 'y@gone.spam.example' }],
        ['address offer*@news.example', { client: '198.51.100.1', from: 'offer42@news.example' }],
        ['ip 203.0.113.0/25', { client: '203.0.113.5', from: 'one@remote.example' }],
        [
          'host *.botnet.example',
          { client: '198.51.100.1', from: 'two@remote.example', helo: 'zombie.botnet.example' },
        ],
      ];
      for (const [entry, mail] of blocked) {
        assert.deepEqual(await told(mail), REFUSED, entry);
        assert.ok(
          (await explained(node, mail.from)).includes(
            `blockList: fail (blocked): the sender is on the block list: ${entry}`,
          ),
          entry,
        );
      }
      assert.deepEqual(await told({ client: '203.0.113.130', from: 'offers@other.example' }), TAKEN, 'none of them');
      const inHeader = { client: '198.51.100.1', from: 'three@remote.example', author: 'eve@remote.example' };
      assert.deepEqual(
        await told(inHeader),
        { recipients: ['250'], final: '550 5.7.1' },
        'who hides behind another MAIL',
      );
    },
  );

  await t.test('a user allows what everybody else blocks, for that user alone', async () => {
    await list('add', 'allow', '203.0.113.5', '--owner', ALICE);
    const both = { client: '203.0.113.5', from: 'four@remote.example', to: [ALICE, CAROL] };
    assert.deepEqual(await told(both), { recipients: ['250', '550 5.7.1'], final: '250' });
    await list('add', 'block', '203.0.113.5', '--owner', ALICE);
    assert.deepEqual((await told(both)).recipients, ['550 5.7.1', '550 5.7.1'], 'on one level a block counts first');
    await list('add', 'allow', '203.0.113.0/24', '--owner', 'example.com');
    assert.deepEqual(
      (await told(both)).recipients,
      ['550 5.7.1', '250'],
      'the domain before everybody, the user before both',
    );
  });

  await t.test('a forger who writes an allowed address is as blocked as before; its owner is not', async () => {
    await list('add', 'block', '198.51.100.0/24');
    await list('add', 'allow', 'bob@partner.example', '--owner', ALICE);
    assert.deepEqual(await told({ client: '198.51.100.66', from: 'bob@partner.example' }), REFUSED);
    assert.match(await explained(node, 'bob@partner.example'), /is on the block list: ip 198\.51\.100\.0\/24/);
    assert.deepEqual(await told({ client: '198.51.100.10', from: 'bob@partner.example' }), TAKEN, 'SPF passes');
  });

  await t.test('a signature proves an allowed author in From, and nothing else does', async () => {
    await list('add', 'block', 'news@signed.example');
    await list('add', 'allow', 'news@signed.example', '--owner', ALICE);
    const mail = { client: '192.0.2.7', from: 'bounces@mailer.example', author: 'news@signed.example' };
    assert.deepEqual(await told(mail), { recipients: ['250'], final: '550 5.7.1' });
    const content = await sign(letter({ from: 'news@signed.example' }), key);
    assert.deepEqual(await told({ ...mail, content }), TAKEN);
  });

  await t.test('an allowed client is spared SPF, opens no relay and makes no user exist', async () => {
    assert.deepEqual(await told({ client: '192.0.2.10', from: 'a@forbids.example' }), { recipients: ['550 5.7.23'] });
    await list('add', 'allow', '192.0.2.10');
    assert.deepEqual(await told({ client: '192.0.2.10', from: 'b@forbids.example' }), TAKEN);
    assert.match(await explained(node, 'b@forbids.example'), /allow/i);
    const others = {
      client: '192.0.2.10',
      from: 'c@forbids.example',
      to: ['victim@other.example', 'nobody@example.com'],
    };
    assert.deepEqual((await told(others)).recipients, ['550 5.7.1', '550 5.1.1']);
  });

  await t.test('an allow entry over local addresses is refused, and a risk where somebody insists', async () => {
    for (const value of ['ceo@example.com', '*@example.com', '*@*.com'])
      assert.match(await refusal(['list', 'add', 'allow', value]), /must not cover local addresses/);
    assert.match(await list('add', 'allow', 'ceo@example.com', '--allow-local'), /Risk: it covers local addresses/);
    const { code, stdout } = await postern(['check', 'node'], node.env);
    assert.equal(code, 1);
    assert.match(stdout, /lists +ceo@example\.com is on the allow list/);
    await list('remove', 'allow', 'ceo@example.com');
  });

  await t.test('a CSV with one bad line changes nothing, and the line is named', async () => {
    const csv = 'value,list,kind\nfive@remote.example,block,address\n300.0.0.1,block,ip\n';
    assert.match(await refusal(['list', 'import', '-'], csv), /line 3: cannot use the network/);
    assert.deepEqual(await told({ client: '192.0.2.8', from: 'five@remote.example' }), TAKEN);
    assert.match(await refusal(['list', 'import', '-'], 'five@remote.example,block\n'), /must name the columns/);
  });

  await t.test('an entry ends with its time', async () => {
    const mailOf = (seconds: number): Mail => ({ client: '192.0.2.8', from: `six${seconds}@remote.example` });
    // On a busy machine the first entries may have ended before they are asked about.
    let seconds = 4;
    for (; ; seconds *= 2) {
      const expires = Date.now() + seconds * 1000;
      await list('add', 'block', mailOf(seconds).from, '--expires', new Date(expires).toISOString());
      const before = await told(mailOf(seconds));
      if (Date.now() >= expires) continue;
      assert.deepEqual(before, REFUSED);
      break;
    }
    const hasEnded = async () => (await told(mailOf(seconds))).final === '250' || undefined;
    await eventually(hasEnded, 'the end of the entry', 30_000 + seconds * 1000);
    assert.match(await refusal(['list', 'add', 'block', 'seven@remote.example', '--expires', '2020-01-01']), /to come/);
  });
});
