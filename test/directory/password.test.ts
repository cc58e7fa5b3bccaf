import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import { hashPassword } from '../../src/directory/password.ts';
import { systemRandom } from '../../src/world/random.ts';

test('a password is kept as an Argon2id PHC string that any implementation can verify', async () => {
  const phc = await hashPassword('Passwo\u0308rt', systemRandom.bytes);
  const [, algorithm, version, parameters, salt, tag] = phc.split('$');
  assert.deepEqual([algorithm, version, parameters], ['argon2id', 'v=19', 'm=65536,t=3,p=1']);
  const again = argon2Sync('argon2id', {
    message: Buffer.from('Passwört'.normalize('NFC')),
    nonce: Buffer.from(salt!, 'base64'),
    memory: 65_536,
    passes: 3,
    parallelism: 1,
    tagLength: 32,
  });
  assert.equal(Buffer.from(tag!, 'base64').compare(again), 0);
});

test('a password of seven characters is refused, and so is one that nobody types', async () => {
  await assert.rejects(hashPassword('1234567', systemRandom.bytes), {
    code: 'directory.password',
    message: 'cannot set the password, as it must be 8 to 1000 characters long: it has 7',
  });
  await assert.rejects(hashPassword('x'.repeat(1001), systemRandom.bytes), { code: 'directory.password' });
});
