/** The bounds of the HTTP listeners, each with its reason. */

/** Two scrapers, a supervisor and a load balancer with some connections each. */
export const HEALTH_CONNECTIONS = 50;

/** A request here has no body and a short header. */
export const HEALTH_REQUEST_MS = 10_000;
