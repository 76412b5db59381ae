// undici's index also carries fetch, WebSocket, caches and mocks: 0.6 MB of source that no request here runs through.
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici';
}
