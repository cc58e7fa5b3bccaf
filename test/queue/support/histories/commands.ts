/** Steps as they come to a history: by themselves, looked at, or cut off by a power failure. */
import assert from 'node:assert/strict';
import type fc from 'fast-check';
import { adopt, type Model, newEpoch, put, type Rows, without } from './model.ts';
import {
  contentBelongs,
  handedOut,
  inTime,
  keptContent,
  look,
  newFolder,
  observed,
  open,
  passTime,
  type Real,
  turns,
} from './real.ts';
import { nothing, type Step } from './steps.ts';

export class Happens implements fc.AsyncCommand<Model, Real> {
  readonly step: Step;
  constructor(step: Step) {
    this.step = step;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const before = model.rows;
    const started = await this.step.start(model, real);
    if (!started) return;
    started.after(model, await inTime(real, started.done));
    await passTime(model, real);
    await turns(2);
    handedOut(real, before, model);
    real.node.queue.assertLives();
  }
  toString(): string {
    return this.step.name;
  }
}

export class Look implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const before = model.rows;
    await look(model, real);
    handedOut(real, before, model);
    await contentBelongs(real);
  }
  toString(): string {
    return 'an operator looks';
  }
}

/** The power fails so many turns of the loop after a step began. */
export class Crash implements fc.AsyncCommand<Model, Real> {
  readonly step: Step;
  readonly after: number;
  readonly downMs: number;
  constructor(step: Step, after: number, downMs = 0) {
    this.step = step;
    this.after = after;
    this.downMs = downMs;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const started = (await this.step.start(model, real)) ?? nothing;
    let isDone = false;
    let result: unknown;
    const done = started.done.then(
      (value) => {
        isDone = true;
        result = value;
      },
      () => undefined,
    );
    await turns(this.after);
    const wasDone = isDone;
    const resultThen = result;
    const folder = newFolder(real.folder);
    real.folders.push(folder);
    const after: Model = { rows: model.rows, ends: new Map(model.ends), kept: model.kept };
    started.after(after, resultThen);
    await inTime(real, done);
    await real.node.queue.close();
    await real.node.store.close();
    real.folder = folder;
    real.skip(this.downMs);
    await open(real);
    const allowed = (wasDone ? [after] : [model, after]).map((one) => one.rows);
    await this.found(model, real, allowed);
    if (wasDone) model.ends = after.ends;
    model.kept = await this.keptOf(real, wasDone ? [after.kept] : [model.kept, after.kept]);
    await contentBelongs(real);
  }

  private async keptOf(real: Real, allowed: readonly ReadonlySet<string>[]): Promise<ReadonlySet<string>> {
    const seen = await keptContent(real);
    const fits = allowed.some((kept) => kept.size === seen.size && [...kept].every((owner) => seen.has(owner)));
    assert.ok(
      fits,
      `owners are ${[...seen].join(', ')}; expected ${allowed.map((kept) => [...kept].join(', ')).join(' or ')}`,
    );
    return seen;
  }

  /** Marks are holds now, and the clock went on. */
  private async found(model: Model, real: Real, allowed: readonly Rows[]): Promise<void> {
    const started = allowed.map((rows) => {
      const one: Model = { rows, ends: model.ends, kept: model.kept };
      for (const row of rows.values()) if (row.wanted) put(one, { ...without(row), state: 'held', ...row.wanted });
      return one;
    });
    const marked = allowed.map((rows) => rows);
    for (const one of started) await passTime(one, real);
    const seen = await observed(real);
    adopt(
      model,
      seen,
      [...started.map(({ rows }) => rows), ...(allowed.length > 1 ? marked : [])],
      real.clock.now(),
      () => false,
    );
    model.rows = new Map([...model.rows].map(([id, row]) => [id, { ...without(row), epoch: newEpoch() }]));
    handedOut(real, model.rows, model);
    real.node.queue.assertLives();
  }
  toString(): string {
    return `the power fails ${this.after} turns after: ${this.step.name}${this.downMs > 0 ? `, for ${this.downMs / 3_600_000} hours` : ''}`;
  }
}
