import { throughputScenario } from '../throughput.ts';

export const throughput1kSingle = throughputScenario(
  'throughput-1k-single',
  { messages: 5_000, sessions: 20, sizeBytes: 1_024, kept: false },
  4,
);
