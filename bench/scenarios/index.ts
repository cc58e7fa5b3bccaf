/** Every scenario of `bench/run`, in the order in which it runs them. */
import type { Scenario } from '../scenario.ts';
import { authFlood } from './auth-flood.ts';
import { deadDestinations } from './dead-destinations.ts';
import { heldMail } from './held-mail.ts';
import { idleConnections } from './idle-connections.ts';
import { idleMemory } from './idle-memory.ts';
import { kill500 } from './kill-500.ts';
import { latency } from './latency.ts';
import { millionQueue } from './million-queue.ts';
import { throughput1kSingle } from './throughput-1k-single.ts';
import { throughput10kKept } from './throughput-10k-kept.ts';
import { throughput200k } from './throughput-200k.ts';
import { underAttack } from './under-attack.ts';

export const scenarios: readonly Scenario[] = [
  throughput10kKept,
  throughput1kSingle,
  throughput200k,
  latency,
  idleMemory,
  idleConnections,
  millionQueue,
  heldMail,
  deadDestinations,
  authFlood,
  underAttack,
  kill500,
];
