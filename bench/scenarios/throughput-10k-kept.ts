import { throughputScenario } from '../throughput.ts';

export const throughput10kKept = throughputScenario(
  'throughput-10k-kept',
  { messages: 10_000, sessions: 20, sizeBytes: 10_240, kept: true },
  5,
);
