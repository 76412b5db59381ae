import packageJson from '../../package.json' with { type: 'json' };

/** The version of this program; the bundle contains it. */
export const VERSION: string = packageJson.version;

/** Where the project is published. What is generated takes the owner's name from here. */
export const REPOSITORY: string = packageJson.homepage.replace(/#.*$/, '');
