/** How the network between one machine and the API server is, right now. */
export interface Weather {
  /** Nothing gets through until then, ms of virtual time. */
  cutUntilMs: number;
  /** Chance that a request is answered by 500, 429, 503 or a 409 out of nowhere, without effect. */
  errors: number;
  /** Chance that a request takes effect and its answer is lost. */
  losses: number;
  /** Longest delay of one message, ms. */
  slowMs: number;
}

export const fairWeather = (): Weather => ({ cutUntilMs: 0, errors: 0, losses: 0, slowMs: 20 });
