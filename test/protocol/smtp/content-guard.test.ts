import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContentRules, createContentGuard } from '../../../src/protocol/smtp/content-guard.ts';

const STRICT: ContentRules = { newlines: 'refuse', nul: 'refuse', isBinary: false };

/** What is found and handed on; the same at every split in two, and byte by byte. */
function run(text: string, rules: Partial<ContentRules>): { bare: string; nul: boolean; out: string } {
  const whole = Buffer.from(text, 'latin1');
  const once = (slices: readonly Buffer[]) => {
    const guard = createContentGuard({ ...STRICT, ...rules });
    const out: Buffer[] = [];
    for (const slice of slices) guard.push(slice, (part) => void out.push(Buffer.from(part)));
    const { bare, nul } = guard.finish((part) => void out.push(Buffer.from(part)));
    return { bare, nul, out: Buffer.concat(out).toString('latin1') };
  };
  const first = once([whole]);
  const isRefused = (first.nul && rules.nul !== 'accept') || (first.bare !== 'none' && rules.newlines !== 'normalise');
  const splits = Array.from({ length: whole.length + 1 }, (_, at) => [whole.subarray(0, at), whole.subarray(at)]);
  for (const slices of [...splits, Array.from(whole, (_, at) => whole.subarray(at, at + 1))]) {
    const said = once(slices);
    // What is refused is handed on up to some slice before it.
    assert.deepEqual({ ...said, out: '' }, { ...first, out: '' }, JSON.stringify(slices.map(String)));
    if (!isRefused) assert.equal(said.out, first.out, JSON.stringify(slices.map(String)));
  }
  return first;
}

test('NUL is found anywhere in a message of lines, and handed on only where it is accepted', () => {
  for (const text of ['a: b\0\r\n\r\nx\r\n', 'a: b\r\n\r\nx\0y\r\n', '\0', 'a: b\r\n\r\nx\r\n\0']) {
    assert.equal(run(text, {}).nul, true);
    assert.equal(run(text, {}).out, '');
    assert.deepEqual(run(text, { nul: 'accept' }), { bare: 'none', nul: true, out: text });
  }
  assert.deepEqual(run('a: b\r\n\r\nx\r\n', {}), { bare: 'none', nul: false, out: 'a: b\r\n\r\nx\r\n' });
});

const BODY = 'x\0y\rz\nw\r\r\n\n\0';

test('the body of a BINARYMIME message may have any octet', () => {
  for (const header of ['a: b\r\n\r\n', 'a: b\r\n c\r\nd: e\r\n\r\n', '\r\n'])
    assert.deepEqual(run(header + BODY, { isBinary: true }), { bare: 'none', nul: false, out: header + BODY });
});

test('its header may not, whichever empty line a reader takes for its end', () => {
  for (const [header, bare, nul] of [
    ['a: b\rc: d\r\n\r\n', 'cr', false],
    ['a: b\nc: d\r\n\r\n', 'lf', false],
    ['a: b\0\r\n\r\n', 'none', true],
    ['a: b\n\n', 'lf', false],
    ['a: b\r\r', 'cr', false],
    ['a: b\r\n\n', 'lf', false],
    ['a: b\r\n\r', 'cr', false],
    ['a: b\n\r\n', 'lf', false],
    ['\n', 'lf', false],
    ['\r', 'cr', false],
  ] as const) {
    const said = run(`${header}q${BODY}`, { isBinary: true });
    assert.deepEqual([said.bare, said.nul], [bare, nul], JSON.stringify(header));
  }
});

test('a BINARYMIME message whose header never ends is header to its end', () => {
  assert.equal(run('a: b\r\nc\0', { isBinary: true }).nul, true);
  assert.equal(run('a: b\r\nc\r', { isBinary: true }).bare, 'cr');
  assert.equal(run('a: b\r\nc\nd', { isBinary: true }).bare, 'lf');
});

test('where newlines are normalised, those of a BINARYMIME header are, and its body stays as it is', () => {
  const rules = { isBinary: true, newlines: 'normalise' } as const;
  for (const header of ['a: b\nc: d\n\n', 'a: b\rc: d\r\r', 'a: b\r\nc: d\r\n\n', 'a: b\nc: d\r\n\r\n'])
    assert.equal(run(`${header}q${BODY}`, rules).out, `a: b\r\nc: d\r\n\r\nq${BODY}`, JSON.stringify(header));
  assert.equal(run('a: b\0\n\nq', { ...rules, nul: 'refuse' }).nul, true);
});
