/** The places of look-ups as metrics: read at each scrape, of closed sets of labels. */
import type { Metrics } from '../metrics-sink.ts';
import type { PlaceFigures } from './places.ts';

export function measurePlaces(metrics: Metrics, places: () => PlaceFigures): void {
  metrics.gauge('postern_dns_lookups', 'DNS look-ups now: in flight of our own, in flight for clients, waiting', () => {
    const { used, usedByClients, waiting } = places();
    return [
      { labels: { state: 'own' }, value: used - usedByClients },
      { labels: { state: 'client' }, value: usedByClients },
      { labels: { state: 'waiting' }, value: waiting },
    ];
  });
  metrics.gauge(
    'postern_dns_lookups_lost',
    'DNS look-ups of clients since the start: refused a place, cut from it',
    () => {
      const { refused, cut } = places();
      return [
        { labels: { why: 'refused' }, value: refused },
        { labels: { why: 'cut' }, value: cut },
      ];
    },
  );
}
