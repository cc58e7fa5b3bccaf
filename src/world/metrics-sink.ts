/**
 * Events as Prometheus metrics: counters from the event definitions, gauges from callbacks.
 *
 * Until the first scrape, an event only adds to a plain number; prom-client is loaded by the first scrape, which
 * keeps an idle node small. A label whose value is not a short word is counted as `other`, and so is every
 * combination beyond a bound, so that no peer can create series.
 */
import type { Counter, Registry } from 'prom-client';
import type { EventDefinition } from './event.ts';
import type { EventName, Events } from './events.ts';
import { METRIC_SERIES } from './limits.ts';

export interface Metrics {
  /** The exposition text; `contentType` goes with it. */
  scrape(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** A value asked for at each scrape. With labels: one value each. Registered before the first scrape or after. */
  gauge(name: string, help: string, read: GaugeReader): void;
  close(): void;
}

export interface GaugeValue {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export type GaugeReader = () => number | readonly GaugeValue[] | Promise<number | readonly GaugeValue[]>;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** By the label values joined with a space. */
  readonly series: Map<string, number>;
}

interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly read: GaugeReader;
}

export function createMetrics(events: Events): Metrics {
  const families = new Map<string, Family>();
  const byEvent = new Map<EventName, Family>();
  for (const [event, definition] of Object.entries(events.definitions) as [EventName, EventDefinition<object>][]) {
    const { metric, text } = definition;
    if (!metric) continue;
    const family = families.get(metric.name) ?? {
      name: metric.name,
      help: text,
      labels: metric.labels ?? [],
      series: new Map<string, number>(),
    };
    // A metric without labels starts at zero, so that its rate is known from the first event on.
    if (family.labels.length === 0) family.series.set('', 0);
    families.set(metric.name, family);
    byEvent.set(event, family);
  }

  const detach = events.attach(
    (name, fields) => count(byEvent.get(name)!, fields),
    (name) => byEvent.has(name),
  );

  const gauges: GaugeDefinition[] = [];
  let registry: Promise<Registry> | undefined;
  return {
    gauge: (name, help, read) => void gauges.push({ name, help, read }),
    async scrape() {
      registry ??= createRegistry();
      const exposed = await registry;
      await expose(exposed, families, gauges);
      return { contentType: exposed.contentType, body: await exposed.metrics() };
    },
    close: detach,
  };
}

/** Label values that may stand in the text unchanged. */
const LABEL = /^[\w.:-]{1,64}$/;

function count(family: Family, fields: Readonly<Record<string, unknown>>): void {
  const { series } = family;
  let key = '';
  for (const label of family.labels) {
    const value = String(fields[label] ?? 'none');
    key += `${key === '' ? '' : ' '}${LABEL.test(value) ? value : 'other'}`;
  }
  if (!series.has(key) && series.size >= METRIC_SERIES) key = family.labels.map(() => 'other').join(' ');
  series.set(key, (series.get(key) ?? 0) + 1);
}

async function createRegistry(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

async function expose(
  registry: Registry,
  families: ReadonlyMap<string, Family>,
  gauges: readonly GaugeDefinition[],
): Promise<void> {
  const { Counter, Gauge } = await import('prom-client');
  for (const { name, help, labels, series } of families.values()) {
    const counter =
      (registry.getSingleMetric(name) as Counter | undefined) ??
      new Counter({ name, help, labelNames: [...labels], registers: [registry] });
    counter.reset();
    for (const [key, value] of series) counter.inc(labelled(labels, key), value);
  }
  for (const { name, help, read } of gauges) {
    const answer = await read();
    const values = typeof answer === 'number' ? [{ value: answer, labels: {} }] : answer;
    registry.removeSingleMetric(name);
    const labelNames = [...new Set(values.flatMap(({ labels }) => Object.keys(labels ?? {})))];
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const { value, labels } of values) gauge.set({ ...labels }, value);
  }
}

function labelled(labels: readonly string[], key: string): Record<string, string> {
  const values = key.split(' ');
  return Object.fromEntries(labels.map((label, at) => [label, values[at]!]));
}
