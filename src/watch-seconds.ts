const SHORTEST_SECONDS = 30 * 60;

/**
 * How long the API server is asked to keep a watch open: 30 to 60 minutes, so that a hundred quiet replicas come back
 * twice a minute between them and never all at once (client-go asks for 5 to 10).
 */
export const watchSeconds = (): number => Math.round(SHORTEST_SECONDS * (1 + Math.random()));
