/** `postern dkim list|show|check|create|rotate|retire` */
import type { Register } from '../run.ts';
import { table } from '../table.ts';

interface Options {
  readonly domain: string;
  readonly json?: boolean;
}

const DOMAIN = ['--domain <name>', 'the domain that signs'] as const;
const JSON_OPTION = ['--json', 'as JSON'] as const;

export const dkim: Register = (program, { withSession }) => {
  const command = program.command('dkim').description('the keys that sign outgoing mail');

  command
    .command('list')
    .description('list the keys of a domain')
    .requiredOption(...DOMAIN)
    .option(...JSON_OPTION)
    .action(
      withSession(async ({ ask, print, json }, { domain, json: asJson }: Options) => {
        const keys = await ask('dkim.list', { domain });
        if (asJson) return json(keys);
        const rows = keys.map(({ selector, algorithm, life, since, record }) => [
          selector,
          algorithm,
          life,
          day(since),
          record,
        ]);
        print(table(['SELECTOR', 'ALGORITHM', 'STATE', 'SINCE', 'DNS RECORD'], rows));
      }),
    );

  command
    .command('show')
    .description('the DNS records to publish')
    .requiredOption(...DOMAIN)
    .option(...JSON_OPTION)
    .action(
      withSession(async ({ ask, print, json }, { domain, json: asJson }: Options) => {
        const records = await ask('dkim.show', { domain });
        if (asJson) return json(records);
        if (records.length === 0)
          return print(`${domain} has no keys yet; make them with: postern dkim rotate --domain ${domain}`);
        for (const { name, type, value, strings, life } of records) {
          if (life) print(`; ${life}`);
          const text = type === 'CNAME' ? `${value}.` : strings!.map((string) => `"${string}"`).join(' ');
          print(`${name}. IN ${type} ${text}`);
        }
      }),
    );

  command
    .command('check')
    .description('look for the records in the DNS now')
    .requiredOption(...DOMAIN)
    .option(...JSON_OPTION)
    .action(
      withSession(async ({ ask, print, json }, { domain, json: asJson }: Options) => {
        const keys = await ask('dkim.check', { domain });
        if (asJson) return json(keys);
        print(
          table(
            ['SELECTOR', 'STATE', 'DNS RECORD', 'FOUND'],
            keys.map(({ selector, life, state, found }) => [selector, life, state, found]),
          ),
        );
      }),
    );

  command
    .command('create')
    .description('make a key; it signs once its record is seen in the DNS')
    .requiredOption(...DOMAIN)
    .option('--algorithm <name>', 'rsa or ed25519')
    .option('--selector <name>', 'its name in the DNS; one is chosen when left out')
    .action(
      withSession(async ({ ask, print }, options: Options & { algorithm?: 'rsa' | 'ed25519'; selector?: string }) => {
        const { domain, algorithm, selector } = options;
        const made = await ask('dkim.create', { domain, algorithm, selector });
        print(`made the key ${made.selector}; publish its record: postern dkim show --domain ${domain}`);
      }),
    );

  command
    .command('rotate')
    .description('make new keys, or let those that wait sign')
    .requiredOption(...DOMAIN)
    .action(
      withSession(async ({ ask, print }, { domain }: Options) => {
        const steps = await ask('dkim.rotate', { domain });
        if (steps.length === 0) return print('nothing to do: the keys that wait have no record in the DNS yet');
        for (const { step, selector } of steps)
          print(step === 'create' ? `made the key ${selector}` : `${selector} signs from now on`);
      }),
    );

  command
    .command('retire <selector>')
    .description('end a key at once, as when its secret has leaked')
    .requiredOption(...DOMAIN)
    .action(
      withSession(async ({ ask, print }, selector: string, { domain }: Options) => {
        await ask('dkim.retire', { domain, selector });
        print(`retired ${selector}; remove its record from the DNS`);
      }),
    );
};

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
