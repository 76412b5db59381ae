import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from './report.ts';

/**
 * Run by hand: draws what a fleet costs, docs/images/fleet.svg, from what the bench has measured, docs/images/fleet.json.
 * docs/performance.md names the commands.
 */
const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'images');
const [WIDTH, HEIGHT, LEFT, TOP, COLUMNS] = [270, 200, 24, 62, 4];
const STYLE = `
  .ground { fill: #ffffff; } text { font: 12px system-ui, sans-serif; fill: #1c2024; } .dim { fill: #5b6470; }
  .title { font-weight: 600; font-size: 13px; } .axis { stroke: #c3c9d1; } .line { fill: none; stroke: #2f5fd0; stroke-width: 2; }
  .point { fill: #2f5fd0; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #16181d; } text { fill: #e7e9ee; } .dim { fill: #a3abb8; } .axis { stroke: #444b57; }
    .line { stroke: #9db8ff; } .point { fill: #9db8ff; }
  }
`;

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly by: 'replicas' | 'webhooks';
  /** The name of a figure, with N for the number that it is measured at. */
  readonly figure: string;
}

const PANELS: readonly Panel[] = [
  { title: 'CA rotation, less CA_OVERLAP', unit: 's', by: 'replicas', figure: 'ca-rotation-replicas-N' },
  { title: 'CPU of the leader for it', unit: 'ms', by: 'replicas', figure: 'ca-rotation-replicas-N-leader-cpu' },
  {
    title: 'Received by the leader for it',
    unit: 'KiB',
    by: 'replicas',
    figure: 'ca-rotation-replicas-N-leader-received',
  },
  {
    title: 'Memory of the leader',
    unit: 'MiB',
    by: 'replicas',
    figure: 'ca-rotation-replicas-N-leader-rss',
  },
  { title: 'API requests of all, at rest', unit: '/min', by: 'replicas', figure: 'api-requests-N' },
  { title: 'CPU of the leader, at rest', unit: 'ms/min', by: 'replicas', figure: 'rest-replicas-N-leader-cpu' },
  { title: 'CA rotation, less CA_OVERLAP', unit: 's', by: 'webhooks', figure: 'ca-rotation-webhooks-N' },
  { title: 'CPU of the leader for it', unit: 'ms', by: 'webhooks', figure: 'ca-rotation-webhooks-N-leader-cpu' },
];

type Point = readonly [count: number, value: number];

const pointsOf = (figures: readonly Pick<Result, 'name' | 'median'>[], { figure }: Panel): readonly Point[] => {
  const name = new RegExp(`^${figure.replace('N', '(\\d+)')}$`);
  return figures.flatMap(({ name: own, median }): readonly Point[] => {
    const count = name.exec(own)?.[1];
    return count === undefined ? [] : [[Number(count), median]];
  });
};

const shown = (value: number): string =>
  value.toLocaleString('en', value < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 });

/** Both axes span equally many decades, so that the diagonal of a panel is a cost in proportion. */
const drawn = (points: readonly Point[], { title, unit, by }: Panel, at: number): string => {
  const [left, top] = [LEFT + (at % COLUMNS) * WIDTH, TOP + Math.floor(at / COLUMNS) * HEIGHT];
  const [width, height] = [WIDTH - 70, HEIGHT - 90];
  const decades = by === 'replicas' ? 3 : 2;
  const lowest = Math.floor(Math.log10(Math.min(...points.map(([, value]) => value))));
  const x = (count: number): number => left + 14 + (Math.log10(count) / decades) * width;
  const y = (value: number): number => top + 26 + height - ((Math.log10(value) - lowest) / decades) * height;
  const line = points.map(([count, value]) => `${x(count).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const marks = points.map(
    ([count, value]) =>
      `<circle class="point" cx="${x(count).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5"/>` +
      `<text x="${x(count).toFixed(1)}" y="${(y(value) - 9).toFixed(1)}" text-anchor="middle">${shown(value)}</text>` +
      `<text class="dim" x="${x(count).toFixed(1)}" y="${top + 44 + height}" text-anchor="middle">${shown(count)}</text>`,
  );
  return [
    `<text class="title" x="${left}" y="${top - 2}">${title}, ${unit}</text>`,
    `<path class="axis" d="M${left} ${top + 28 + height}H${left + width + 28}"/>`,
    `<polyline class="line" points="${line}"/>`,
    ...marks,
    `<text class="dim" x="${left + width + 28}" y="${top + 60 + height}" text-anchor="end">${by}</text>`,
  ].join('\n');
};

const text = await readFile(join(FOLDER, 'fleet.json'), 'utf8');
const { figures } = JSON.parse(text) as { readonly figures: readonly Result[] };
const panels = PANELS.map((panel, at) => drawn(pointsOf(figures, panel), panel, at));
const [width, height] = [2 * LEFT + COLUMNS * WIDTH - 30, TOP + 2 * HEIGHT];
await writeFile(
  join(FOLDER, 'fleet.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>What an installation costs by its number of replicas and of webhooks</title>
<style>${STYLE}</style>
<rect class="ground" width="100%" height="100%" rx="10"/>
<text class="dim" x="${LEFT}" y="28">Both axes are logarithmic. A line as steep as the diagonal of its panel is a cost in proportion.</text>
${panels.join('\n')}
</svg>
`,
);
