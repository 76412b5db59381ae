import packageJson from '../../package.json' with { type: 'json' };

/** The version of this program; the bundle contains it. */
export const VERSION: string = packageJson.version;
