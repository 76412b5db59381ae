/** Colours carry at least 4.5:1 against their ground in both themes, and never the meaning alone. */
export const statusPageStyle = `
:root { color-scheme: light dark; --ground: #fff; --card: #f4f5f7; --text: #1a1c20; --dim: #565c66; --good: #146c2e; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14161a; --card: #1f2329; --text: #e6e8eb; --dim: #a6adb8; --good: #6dd58c; --bad: #ff9b93; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.25rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
#state { font-size: 1.25rem; font-weight: 600; margin: .25rem 0 1rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
#parts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
section { background: var(--card); border-radius: .5rem; padding: 1rem; min-width: 0; }
dl { margin: 0; }
dt { color: var(--dim); font-size: .875rem; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
dd:last-child { margin-bottom: 0; }
code { font: .875rem/1.4 ui-monospace, monospace; }
#fresh { color: var(--dim); font-size: .875rem; }
a { color: inherit; }
`;
