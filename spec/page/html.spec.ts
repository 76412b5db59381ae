import { expect } from 'chai';
import fc from 'fast-check';
import { html } from '../../src/page/html.ts';

describe('html', () => {
  it('takes every value for text, and only its own markup for markup', () => {
    const bold = html`<b>${'a & b'}</b>`;
    expect(html`<p title="${`"it's"`}">${'<i>'} ${bold} ${7} ${null}</p>`.markup).to.equal(
      '<p title="&quot;it&#39;s&quot;">&lt;i&gt; <b>a &amp; b</b> 7 </p>',
    );
  });

  it('shows the items of a list one after the other', () => {
    const items = ['a', 'b'].map((item) => html`<li>${item}</li>`);
    expect(html`${items}`.markup).to.equal('<li>a</li><li>b</li>');
  });

  it('lets no text out of the place it is put in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { markup } = html`<p title="${text}">${text}</p>`;
        const inside = markup.replace('<p title="', '').replace('</p>', '').replace('">', '');
        expect(/[<>"']/.test(inside)).to.equal(false);
        const back = inside
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&');
        expect(back === text + text).to.equal(true);
      }),
    );
  });
});
