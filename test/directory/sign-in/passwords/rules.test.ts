import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCommonPassword } from '../../../../src/directory/sign-in/passwords/common-passwords.ts';
import { weakness } from '../../../../src/directory/sign-in/passwords/rules.ts';

test('what guessers try first is known in any case, decorated, in digits for letters and said twice; honest passwords are not', async () => {
  for (const password of [
    'password123',
    'PASSWORD2024!?',
    'P4ssw0rd!2024',
    'Pa$$word!1',
    '!!trustno1!!',
    'iloveyou!!',
    'Summer2024!',
    'lovelove99',
    'mailcreated5240',
    'Willkommen1!',
    'Contrasen\u0303a2024',
  ])
    assert.ok(await isCommonPassword(password), password);
  for (const password of ['correct horse battery', 'Tr0ub4dor&3x', 'vK9#mq2Lp0', 'wandern im herbst'])
    assert.ok(!(await isCommonPassword(password)), password);
});

test('walks over the keyboard, sequences and repetitions are known without a list', async () => {
  for (const password of [
    'qwertyuiop',
    'POIUYTREWQ',
    '1q2w3e4r5t',
    '12345678910',
    'zxcvbnm123',
    'aaaaaaaaaaaa',
    'abcabcabcabc',
    '1a2b3c4d5e6f',
  ])
    assert.ok(await isCommonPassword(password), password);
});

test('short passwords need classes of characters, long ones need none', () => {
  const owner = { login: 'alice@example.com', name: '' };
  const rules = { leastCharacters: 10, leastClasses: 3 };
  assert.match(weakness('kfmwqzxpvb', owner, rules)!, /^have 3 of/);
  assert.equal(weakness('kfmwQZxpv7', owner, rules), undefined);
  assert.equal(weakness('kfmwqzxpvbtrnwq', owner, rules), undefined);
});
