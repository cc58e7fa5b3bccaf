/** The messages of mime4j, many of them broken, and the parts that its authors want decoded from them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesOf, readLeaves, suiteFolder } from './suites.ts';

const suite = suiteFolder('mime/mime4j');
const folder = join(suite.folder, 'testmsgs');

/** What we read otherwise, and what we tell about it. */
const OTHERWISE: Readonly<Record<string, readonly [problem: string, reason: string]>> = {
  'malformedHeaderStartsBody-nocrlfcrlf': [
    'malformed-header-line',
    'written for an option that starts the body at a malformed header line',
  ],
  'malformedHeaderStartsBody-noheader': ['malformed-header-line', 'the same option'],
  'very-long-boundary': [
    'odd-boundary-parameter',
    'a boundary of 800 characters, where RFC 2046 allows 70 and we read 512',
  ],
  'very-very-long-boundary': ['odd-boundary-parameter', 'a boundary of 7,000 characters'],
};

const messages = filesOf(folder, '.msg').map((file) => file.replace('.msg', ''));
const read = (name: string) => readLeaves(readFileSync(join(folder, `${name}.msg`)));

test("the leaves of mime4j's messages decode to its octets", { skip: suite.skip }, () => {
  for (const name of messages.filter((each) => !(each in OTHERWISE))) {
    const xml = readFileSync(join(folder, `${name}_decoded.xml`), 'latin1');
    const files = [...xml.matchAll(/<(?:text|binary)-body name="([^"]+)"/g)].map((match) => match[1]!);
    const { leaves } = read(name);
    assert.equal(leaves.length, files.length, name);
    for (const [index, file] of files.entries())
      assert.ok(readFileSync(join(folder, file)).equals(leaves[index]!.bytes), `${name}: ${file}`);
  }
});

test('what is read otherwise than mime4j does is told as a problem', { skip: suite.skip }, () => {
  for (const [name, [problem]] of Object.entries(OTHERWISE)) {
    assert.ok(([...read(name).problems] as string[]).includes(problem), name);
  }
});
