// What every module shares: localised texts, islands, JSON over fetch, toasts, number formats, and the data table
// under a picture.

let cachedTexts;

function texts() {
  if (cachedTexts === undefined) {
    cachedTexts = readIsland('js-texts') ?? {};
  }
  return cachedTexts;
}

/** A localised text; `{name}` is replaced. A missing key is empty: no words are better than the wrong language. */
export function t(key, values = {}) {
  const text = texts()[key] ?? '';
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The JSON inside the element with this id, or null. */
export function readIsland(id) {
  const element = document.getElementById(id);
  if (element === null) return null;
  try {
    return JSON.parse(element.textContent);
  } catch (error) {
    console.error(`island ${id} is not JSON`, error);
    return null;
  }
}

/** Data of a chart or map: an island's id, or a path on this server. */
export async function loadData(source) {
  if (source.startsWith('/')) {
    const answer = await fetch(source, { headers: { Accept: 'application/json' }, credentials: 'same-origin' });
    if (!answer.ok) throw new Error(`${source} answered ${answer.status}`);
    return answer.json();
  }
  const data = readIsland(source);
  if (data === null) throw new Error(`no island ${source}`);
  return data;
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? '';
}

/** POST of JSON; personal values travel here and never in an address. */
export async function postJSON(path, body, signal) {
  const answer = await fetch(path, {
    method: 'POST',
    credentials: 'same-origin',
    signal,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRF-Token': csrfToken() },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** Only paths of this server are followed: `//host` and `javascript:` are not. */
export function isOwnPath(path) {
  return typeof path === 'string' && /^\/(?![/\\])/.test(path);
}

/** An element with classes and text: `make('p', 'muted', 'words')`. */
export function make(name, className = '', text = null) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== null) element.textContent = text;
  return element;
}

export function toast(text, kind = '') {
  if (!text) return;
  let box = document.querySelector('.toasts');
  if (box === null) {
    box = make('div', 'toasts');
    box.setAttribute('aria-live', 'polite');
    document.body.append(box);
  }
  const item = make('div', `toast ${kind}`.trim(), text);
  box.append(item);
  setTimeout(() => item.remove(), 5000);
}

const language = document.documentElement.lang || 'en';

/** A function that formats numbers the way the page's language does. */
export function formatter({ format = 'decimal', digits, currency } = {}) {
  const fraction = (fallback) => ({ maximumFractionDigits: digits ?? fallback });
  const options = {
    integer: { maximumFractionDigits: 0 },
    decimal: fraction(2),
    percent: { style: 'percent', ...fraction(1) },
    money: {
      style: 'currency', currency: currency ?? 'CNY', currencyDisplay: 'narrowSymbol', minimumFractionDigits: 0,
      ...fraction(2),
    },
  }[format] ?? fraction(2);
  const number = new Intl.NumberFormat(language, options);
  return (value) => (value === null || value === undefined || Number.isNaN(value) ? '–' : number.format(value));
}

/** The value of a colour token, resolved for the theme that is on now. */
export function colour(token) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
}

/** Calls back when the theme changes, by the switch or by the system. */
export function onTheme(callback) {
  document.addEventListener('switchboard:theme', callback);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', callback);
}

/** Puts `<details>` with the numbers under a figure. `rows`: arrays of strings, or `{text, href}` in the first cell. */
export function dataTable(figure, columns, rows) {
  figure.querySelector('.chart-data')?.remove();
  const details = make('details', 'chart-data');
  details.append(make('summary', '', t('chartData')));
  const table = make('table', 'table plain tight keep');
  const head = table.createTHead().insertRow();
  columns.forEach((name, index) => {
    const cell = make('th', index > 0 ? 'num' : '', name);
    cell.scope = 'col';
    head.append(cell);
  });
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, index) => {
      const cell = make(index > 0 ? 'td' : 'th', index > 0 ? 'num' : '');
      if (value !== null && typeof value === 'object') {
        if (isOwnPath(value.href)) {
          const link = make('a', '', value.text);
          link.href = value.href;
          cell.append(link);
        } else {
          cell.textContent = value.text;
        }
      } else {
        cell.textContent = value;
      }
      line.append(cell);
    });
  }
  const wrap = make('div');
  wrap.append(table);
  details.append(wrap);
  figure.append(details);
}

/** Loads one of the vendored classic scripts once. */
const vendorScripts = new Map();
export function vendor(name) {
  if (!vendorScripts.has(name)) {
    vendorScripts.set(name, new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = new URL(`vendor/${name}`, import.meta.url).href;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${name} did not load`));
      document.head.append(script);
    }));
  }
  return vendorScripts.get(name);
}
