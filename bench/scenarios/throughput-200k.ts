import { throughputScenario } from '../throughput.ts';

export const throughput200k = throughputScenario(
  'throughput-200k',
  { messages: 2_000, sessions: 20, sizeBytes: 204_800, kept: true },
  2,
);
