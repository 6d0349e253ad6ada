// Each kind of chart: the configuration for Chart.js, and the same numbers as the columns and rows of a table.

import { colour, formatter, isOwnPath } from './core.js';

const TONES = {
  accent: 'c1', muted: 'c6', good: 'c2', bad: 'critical-mark',
  low: 'low-mark', medium: 'medium-mark', high: 'high-mark', critical: 'critical-mark',
};
const SHAPES = ['circle', 'rectRot', 'triangle', 'rect'];
const DASH = [5, 4];

function tone(name, index = 0) {
  if (TONES[name] !== undefined) return colour(TONES[name]);
  return colour(/^c[1-6]$/.test(name ?? '') ? name : `c${(index % 6) + 1}`);
}

/** The same colour, see-through; tokens are #rrggbb. */
function veil(hex, alpha) {
  return hex + Math.round(alpha * 255).toString(16).padStart(2, '0');
}

function font(size) {
  return { family: getComputedStyle(document.body).fontFamily, size };
}

/** A scale with numbers. */
function axis(spec = {}, extra = {}) {
  const show = formatter({ format: 'decimal', ...spec });
  // Whole numbers have no steps between them: 0, 0, 1, 1 would be what is shown of halves.
  const precision = spec.format === 'integer' ? 0 : undefined;
  return {
    title: { display: Boolean(spec.title), text: spec.title, color: colour('muted'), font: font(11) },
    grid: { color: colour('line'), borderColor: colour('line'), drawTicks: false },
    ticks: {
      color: colour('muted'), font: font(11), padding: 6, maxRotation: 0, autoSkipPadding: 12, precision,
      callback: (value) => show(value),
    },
    ...extra,
  };
}

/** A scale with words. */
function categories(spec = {}) {
  const scale = axis(spec, { grid: { display: false, borderColor: colour('line') } });
  delete scale.ticks.callback;
  return scale;
}

function options({ scales, legend = false, points = false, links = () => null, tip, indexAxis = 'x' }) {
  const swatch = points ? 6 : 9;
  return {
    indexAxis,
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    layout: { padding: { top: 4, right: 4 } },
    scales,
    onClick: (event, hits) => {
      const href = hits.length > 0 ? links(hits[0]) : null;
      if (isOwnPath(href)) location.assign(href);
    },
    onHover: (event, hits) => {
      event.native.target.style.cursor = hits.length > 0 && isOwnPath(links(hits[0])) ? 'pointer' : '';
    },
    plugins: {
      legend: {
        display: legend, position: 'bottom', align: 'start',
        labels: {
          color: colour('text-2'), font: font(12), padding: 12,
          boxWidth: swatch, boxHeight: swatch, usePointStyle: points,
        },
      },
      tooltip: {
        backgroundColor: colour('text'), titleColor: colour('surface'), bodyColor: colour('surface'),
        titleFont: font(12), bodyFont: font(12), padding: 8, cornerRadius: 4,
        boxWidth: 8, boxHeight: 8, usePointStyle: true,
        callbacks: { label: tip },
      },
    },
  };
}

/** A label that leaves at least 60 % of the width to the bars; the whole words are in the tip and in the table. */
function shortened(words, chart) {
  const { ctx } = chart;
  const room = chart.width * 0.4;
  ctx.save();
  ctx.font = `11px ${font(11).family}`;
  let text = words;
  while (text.length > 3 && ctx.measureText(text).width > room) text = `${text.slice(0, -2).trimEnd()}…`;
  ctx.restore();
  return text;
}

const counts = (data) => formatter({ format: 'integer', ...(data.y ?? {}) });
const linkOf = (data) => (hit) => data.links?.[hit.index] ?? null;

function bars(data, stacked) {
  const horizontal = data.horizontal === true;
  const show = counts(data);
  const words = { ...categories(data.x), stacked };
  const values = axis({ format: 'integer', ...data.y }, { stacked, beginAtZero: true });
  if (horizontal) {
    // Each bar has its name, also on a phone.
    words.ticks.autoSkip = false;
    words.ticks.callback = function fit(value) {
      return shortened(this.getLabelForValue(value), this.chart);
    };
  }
  return {
    type: 'bar',
    data: {
      labels: data.labels,
      datasets: data.series.map((series, index) => ({
        label: series.name,
        data: series.values,
        backgroundColor: series.tones ? series.tones.map((name) => tone(name)) : tone(series.tone, index),
        borderRadius: stacked ? 0 : 2,
        maxBarThickness: 34, categoryPercentage: 0.78, barPercentage: 0.92,
      })),
    },
    options: options({
      indexAxis: horizontal ? 'y' : 'x',
      scales: horizontal ? { y: words, x: values } : { x: words, y: values },
      legend: data.series.length > 1,
      links: linkOf(data),
      tip: (item) => ` ${item.dataset.label}  ${show(horizontal ? item.parsed.x : item.parsed.y)}`,
    }),
  };
}

/** A point without neighbours is no line: it is drawn as a point. */
function alone(values) {
  const isThere = (index) => values[index] !== null && values[index] !== undefined;
  return values.map((_, index) => (isThere(index) && !isThere(index - 1) && !isThere(index + 1) ? 3 : 0));
}

function line(data) {
  const show = counts(data);
  const config = {
    type: 'line',
    data: {
      labels: data.labels,
      datasets: data.series.map((series, index) => {
        const paint = tone(series.tone, index);
        return {
          label: series.name,
          data: series.values,
          borderColor: paint, backgroundColor: veil(paint, 0.14), pointBackgroundColor: paint,
          borderWidth: 1.75, borderDash: series.dash ? DASH : [], fill: series.area === true, tension: 0,
          pointRadius: alone(series.values), pointHoverRadius: 4, pointHitRadius: 12,
        };
      }),
    },
    options: options({
      scales: {
        x: categories(data.x),
        y: axis({ format: 'integer', ...data.y }, { beginAtZero: data.y?.fromZero !== false }),
      },
      legend: data.series.length > 1,
      points: true,
      tip: (item) => ` ${item.dataset.label}  ${show(item.parsed.y)}`,
    }),
  };
  config.options.interaction = { mode: 'index', intersect: false };
  return config;
}

const asPoint = (value) => (Array.isArray(value) ? { x: value[0], y: value[1] } : value);

function scatter(data) {
  const x = formatter(data.x);
  const y = formatter(data.y);
  return {
    type: 'scatter',
    data: {
      datasets: data.series.map((series, index) => {
        const paint = tone(series.tone, index);
        return {
          label: series.name,
          data: series.points.map(asPoint),
          backgroundColor: veil(paint, 0.5), borderColor: paint, borderWidth: 0.5,
          pointRadius: series.points.length > 400 ? 2 : 3, pointStyle: SHAPES[index % SHAPES.length],
        };
      }),
    },
    options: options({
      scales: { x: axis(data.x), y: axis(data.y) },
      legend: data.series.length > 1,
      points: true,
      links: (hit) => data.series[hit.datasetIndex].points[hit.index].href,
      tip: (item) => ` ${item.raw.label ?? item.dataset.label}  ${x(item.parsed.x)} · ${y(item.parsed.y)}`,
    }),
  };
}

function binLabels(data) {
  const show = formatter({ digits: 0, ...(data.x ?? {}) });
  // 0–10%, not 0%–10%: the unit once is enough in a row of ten.
  const short = data.x?.format === 'percent' ? (value) => show(value).replace(/\s?%/, '') : show;
  return data.counts.map((_, index) => `${short(data.edges[index])}–${show(data.edges[index + 1])}`);
}

function histogram(data) {
  const show = counts(data);
  return {
    type: 'bar',
    data: {
      labels: binLabels(data),
      datasets: [{
        data: data.counts,
        backgroundColor: data.tones ? data.tones.map((name) => tone(name)) : tone('accent'),
        categoryPercentage: 1, barPercentage: 0.94,
      }],
    },
    options: options({
      scales: { x: categories(data.x), y: axis({ format: 'integer', ...data.y }, { beginAtZero: true }) },
      links: linkOf(data),
      tip: (item) => ` ${show(item.parsed.y)}`,
    }),
  };
}

function calibration(data) {
  const percent = { format: 'percent', digits: 0 };
  const highest = Math.max(0.1, ...data.points.flatMap((one) => [one.predicted, one.observed]));
  const top = Math.min(1, Math.ceil(highest * 5) / 5);
  const most = Math.max(1, ...data.points.map((one) => one.count));
  const show = formatter({ format: 'percent', digits: 1 });
  const whole = formatter({ format: 'integer' });
  const model = {
    label: data.names?.model,
    data: data.points.map((one) => ({ x: one.predicted, y: one.observed, count: one.count })),
    showLine: true, borderWidth: 1.5, borderColor: tone('accent'), backgroundColor: tone('accent'),
    pointRadius: data.points.map((one) => 2.5 + 5 * Math.sqrt(one.count / most)),
  };
  const ideal = {
    label: data.names?.ideal,
    data: [{ x: 0, y: 0 }, { x: top, y: top }],
    showLine: true, borderWidth: 1.25, borderDash: DASH, pointRadius: 0, pointHitRadius: 0,
    borderColor: colour('line-strong'), backgroundColor: colour('line-strong'),
  };
  return {
    type: 'scatter',
    data: { datasets: [model, ideal] },
    options: options({
      scales: {
        x: axis({ ...percent, ...data.x }, { min: 0, max: top }),
        y: axis({ ...percent, ...data.y }, { min: 0, max: top }),
      },
      legend: true,
      points: true,
      tip: (item) => ` ${show(item.parsed.x)} → ${show(item.parsed.y)} (${whole(item.raw.count)})`,
    }),
  };
}

function lift(data) {
  const show = formatter({ digits: 2, ...(data.y ?? {}) });
  const model = {
    label: data.names?.lift, data: data.values, order: 2,
    backgroundColor: tone('accent'), borderRadius: 2, maxBarThickness: 34,
  };
  const baseline = {
    type: 'line', label: data.names?.baseline, data: data.values.map(() => 1), order: 1,
    borderColor: colour('muted'), backgroundColor: colour('muted'),
    borderDash: DASH, borderWidth: 1.25, pointRadius: 0,
  };
  return {
    type: 'bar',
    data: { labels: data.values.map((_, index) => String(index + 1)), datasets: [model, baseline] },
    options: options({
      scales: { x: categories(data.x), y: axis({ digits: 1, ...data.y }, { beginAtZero: true }) },
      legend: true,
      points: true,
      tip: (item) => ` ${item.dataset.label}  ${show(item.parsed.y)}×`,
    }),
  };
}

function doughnut(data) {
  const show = counts(data);
  const share = formatter({ format: 'percent', digits: 1 });
  const sum = data.values.reduce((total, value) => total + value, 0) || 1;
  const config = {
    type: 'doughnut',
    data: {
      labels: data.labels.map((name, index) => `${name}  ${share(data.values[index] / sum)}`),
      datasets: [{
        data: data.values,
        backgroundColor: data.values.map((_, index) => tone(data.tones?.[index], index)),
        borderColor: colour('surface'), borderWidth: 2,
      }],
    },
    options: options({
      legend: true, points: true, links: linkOf(data),
      tip: (item) => ` ${item.label}  ${show(item.parsed)}`,
    }),
    plugins: [{ id: 'centre', afterDraw: (chart) => centre(chart, data.center) }],
  };
  config.options.cutout = '66%';
  config.options.plugins.legend.position = 'right';
  config.options.plugins.legend.align = 'center';
  return config;
}

function centre(chart, words) {
  const arc = chart.getDatasetMeta(0).data[0];
  if (!words || !arc) return;
  const { ctx } = chart;
  ctx.save();
  ctx.font = `600 20px ${font(20).family}`;
  ctx.fillStyle = colour('text');
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(words, arc.x, arc.y);
  ctx.restore();
}

export const kinds = {
  bar: (data) => bars(data, false),
  stacked: (data) => bars(data, true),
  line, scatter, histogram, calibration, lift, doughnut,
};

function seriesTable(data) {
  const show = counts(data);
  return {
    columns: [data.x?.title ?? '', ...data.series.map((series) => series.name)],
    rows: data.labels.map((name, index) => [
      { text: name, href: data.links?.[index] },
      ...data.series.map((series) => show(series.values[index])),
    ]),
  };
}

function scatterTable(data) {
  const x = formatter(data.x);
  const y = formatter(data.y);
  const points = data.series.flatMap((series) => series.points.map((one) => ({ name: series.name, ...asPoint(one) })));
  return {
    columns: ['', data.x?.title ?? 'x', data.y?.title ?? 'y'],
    rows: points.slice(0, 200).map((one) => [{ text: one.label ?? one.name, href: one.href }, x(one.x), y(one.y)]),
  };
}

function histogramTable(data) {
  const show = counts(data);
  return {
    columns: [data.x?.title ?? '', data.y?.title ?? ''],
    rows: binLabels(data).map((name, index) => [{ text: name, href: data.links?.[index] }, show(data.counts[index])]),
  };
}

function calibrationTable(data) {
  const share = formatter({ format: 'percent', digits: 1 });
  const whole = formatter({ format: 'integer' });
  return {
    columns: [data.x?.title ?? '', data.y?.title ?? '', data.names?.count ?? ''],
    rows: data.points.map((one) => [share(one.predicted), share(one.observed), whole(one.count)]),
  };
}

function liftTable(data) {
  const show = formatter({ digits: 2, ...(data.y ?? {}) });
  return {
    columns: [data.x?.title ?? '', data.names?.lift ?? ''],
    rows: data.values.map((value, index) => [String(index + 1), show(value)]),
  };
}

function doughnutTable(data) {
  const show = counts(data);
  return {
    columns: ['', data.y?.title ?? ''],
    rows: data.labels.map((name, index) => [{ text: name, href: data.links?.[index] }, show(data.values[index])]),
  };
}

export const numbers = {
  bar: seriesTable, stacked: seriesTable, line: seriesTable,
  scatter: scatterTable, histogram: histogramTable, calibration: calibrationTable, lift: liftTable,
  doughnut: doughnutTable,
};
