/** A bench: a scenario measures, and returns figures, a table for people, and a verdict. */

export interface Bench {
  /** Removed at the end; on the file system where both products keep their queues. */
  readonly folder: string;
  readonly rounds: number;
  /** The `postern` command that is measured. */
  readonly postern: string;
  /** Prints progress. */
  tell(line: string): void;
}

export interface Verdict {
  /** The promise, as a sentence: `at least 5x Postfix`. */
  readonly promise: string;
  /** The result: `7.1x`. */
  readonly measured: string;
  readonly kept: boolean;
}

export interface Outcome {
  /** The first row is the heading. */
  readonly table: readonly (readonly string[])[];
  readonly verdicts: readonly Verdict[];
  /** All measurements, as plain JSON. */
  readonly figures: unknown;
}

export interface Scenario {
  readonly name: string;
  /** One sentence: what happens, and what is counted. */
  readonly what: string;
  run(bench: Bench): Promise<Outcome>;
}
