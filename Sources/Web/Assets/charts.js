// Charts from JSON islands with Chart.js 3: colours from the design tokens, and for those who cannot see the picture
// a label and a table of the numbers. The kinds of chart are in chart-kinds.js.

import { dataTable, loadData, make, onTheme, t, vendor } from './core.js';
import { kinds, numbers } from './chart-kinds.js';

const drawn = [];

export async function start(figures) {
  try {
    await vendor('chart.js');
  } catch (error) {
    console.error(error);
    for (const figure of figures) failed(figure);
    return;
  }
  for (const figure of figures) {
    draw(figure).catch((error) => {
      console.error(error);
      failed(figure);
    });
  }
  onTheme(() => { for (const redraw of drawn) redraw(); });
}

function failed(figure) {
  figure.querySelector('.chart-box')?.replaceWith(make('p', 'chart-note', t('chartFailed')));
}

async function draw(figure) {
  const kind = figure.dataset.chart;
  const build = kinds[kind];
  if (build === undefined) throw new Error(`unknown chart ${kind}`);
  const data = await loadData(figure.dataset.chartSource);
  const canvas = figure.querySelector('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', data.summary ?? figure.querySelector('figcaption')?.textContent.trim() ?? '');
  const { columns, rows } = numbers[kind](data);
  dataTable(figure, [figure.dataset.labelColumn ?? columns[0], ...columns.slice(1)], rows);
  let chart = null;
  const redraw = () => {
    chart?.destroy();
    chart = new window.Chart(canvas, build(data));
  };
  drawn.push(redraw);
  redraw();
}
