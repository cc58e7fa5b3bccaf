/** The bounds of the HTTP listeners, each with its reason. */

/** Two scrapers, a supervisor and a load balancer with some connections each. */
export const HEALTH_CONNECTIONS = 50;
/** Of one network: when one scraper hangs, the others still get in. */
export const HEALTH_CONNECTIONS_OF_ONE = 25;

/** An administrator's few browser tabs; more is somebody else. */
export const CONSOLE_CONNECTIONS = 100;
/** Of one network: a proxy in front has one address. */
export const CONSOLE_CONNECTIONS_OF_ONE = 50;

/** A request here has no body and a short header. */
export const HEALTH_REQUEST_MS = 10_000;
