/** A mail server under measurement: takes mail for example.com and relays all of it to the sink. */

export const DOMAIN = 'example.com';
export const RECIPIENT = `alice@${DOMAIN}`;

export interface Product<R extends RunningProduct = RunningProduct> {
  readonly name: string;
  /** `folder` is fresh and its own; everything that the product keeps lies in it. */
  start(folder: string, sink: Endpoint): Promise<R>;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface RunningProduct extends AsyncDisposable, Endpoint {
  readonly name: string;
  /** The first process; the others descend from it. */
  readonly pid: number;
}
