import { html, type Markup } from './html.ts';

/** A moment as it is; the page's script keeps writing beside it how far away it is. */
export const moment = (time: string): Markup => {
  const [day = '', clock = ''] = new Date(time).toISOString().split(/T|\.|Z/);
  return html`<time datetime="${time}">${day} ${clock} UTC</time> <span class="far" data-far="${time}"></span>`;
};
