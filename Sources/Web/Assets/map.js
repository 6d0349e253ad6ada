// The map without tiles: circles for aggregated cells, a graticule, city names. Leaflet only projects, pans and zooms,
// so it works offline.

import { colour, dataTable, formatter, isOwnPath, loadData, make, onTheme, t, vendor } from './core.js';

/** Room for the largest circle and a name, in pixels. */
const EDGE = 28;
const STEPS_DEGREES = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30];

export async function start(figures) {
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = new URL('vendor/leaflet.css', import.meta.url).href;
  // Before our own sheet, so that ours wins.
  document.head.prepend(sheet);
  const styled = new Promise((resolve) => {
    sheet.onload = resolve;
    sheet.onerror = resolve;
  });
  await Promise.all([vendor('leaflet.js'), styled]);
  for (const figure of figures) {
    draw(figure).catch((error) => {
      console.error(error);
      figure.querySelector('.map').replaceWith(make('p', 'chart-note', t('chartFailed')));
    });
  }
}

async function draw(figure) {
  const L = window.L;
  const data = await loadData(figure.dataset.map);
  const box = figure.querySelector('.map');
  // The wheel scrolls the page; the buttons, keys and gestures zoom.
  const map = L.map(box, {
    attributionControl: false, zoomControl: false, scrollWheelZoom: false, minZoom: 0, maxZoom: 12, zoomSnap: 0.25,
  });
  L.control.zoom({ zoomInTitle: t('zoomIn'), zoomOutTitle: t('zoomOut') }).addTo(map);
  const cells = [...data.cells].sort((a, b) => b.count - a.count);
  const bounds = L.latLngBounds([...cells, ...(data.cities ?? [])].map((place) => [place.lat, place.lon]));
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [EDGE, EDGE], maxZoom: 10 });
  else map.setView([35, 105], 3);

  const lines = L.layerGroup().addTo(map);
  const circles = L.layerGroup().addTo(map);
  const names = L.layerGroup().addTo(map);
  const most = Math.max(1, ...cells.map((cell) => cell.count));

  function drawLines() {
    lines.clearLayers();
    const view = map.getBounds().pad(0.1);
    const width = view.getEast() - view.getWest();
    const step = STEPS_DEGREES.find((size) => width / size <= 9) ?? 30;
    const style = { color: colour('line'), weight: 1, interactive: false };
    const from = (value) => Math.ceil(value / step) * step;
    const edge = map.getBounds();
    for (let lon = from(Math.max(-180, view.getWest())); lon <= Math.min(180, view.getEast()); lon += step) {
      lines.addLayer(L.polyline([[view.getSouth(), lon], [view.getNorth(), lon]], style));
      // The corner is left to the latitudes.
      if (lon < edge.getEast() - step) {
        lines.addLayer(label([edge.getSouth(), lon], degrees(lon, '°E', '°W'), 'map-degree', [-3, 14]));
      }
    }
    for (let lat = from(Math.max(-85, view.getSouth())); lat <= Math.min(85, view.getNorth()); lat += step) {
      lines.addLayer(L.polyline([[lat, view.getWest()], [lat, view.getEast()]], style));
      lines.addLayer(label([lat, edge.getEast()], degrees(lat, '°N', '°S'), 'map-degree', [36, 12]));
    }
  }

  function label(place, words, className, anchor) {
    const icon = L.divIcon({ className, html: make('span', '', words), iconSize: null, iconAnchor: anchor });
    return L.marker(place, { interactive: false, keyboard: false, icon });
  }

  function drawCells() {
    circles.clearLayers();
    for (const cell of cells) {
      const paint = colour(`${cell.tone ?? 'c1'}${/^(low|medium|high|critical)$/.test(cell.tone) ? '-mark' : ''}`);
      const radius = 2 + 15 * Math.sqrt(cell.count / most);
      const look = { radius, color: paint, weight: 1, fillColor: paint, fillOpacity: 0.45 };
      const circle = L.circleMarker([cell.lat, cell.lon], look);
      circle.bindPopup(() => bubble(cell), { closeButton: false });
      circles.addLayer(circle);
    }
  }

  function drawNames() {
    names.clearLayers();
    for (const city of data.cities ?? []) names.addLayer(label([city.lat, city.lon], city.name, 'map-city', [-6, 5]));
  }

  drawLines();
  drawCells();
  drawNames();
  map.on('moveend', drawLines);
  onTheme(() => { drawLines(); drawCells(); });
  // Cards change width with the rail and the window.
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(box);
  const whole = formatter({ format: 'integer' });
  const percent = formatter({ format: 'percent' });
  const rows = cells.slice(0, 100).map((cell) => {
    const place = { text: cell.label ?? '', href: cell.href };
    return [place, whole(cell.count), percent(cell.share)];
  });
  dataTable(figure, data.columns ?? ['', '', ''], rows);
}

function degrees(value, positive, negative) {
  return `${Math.abs(Number(value.toFixed(2)))}${value < 0 ? negative : positive}`;
}

function bubble(cell) {
  const box = make('div');
  const title = isOwnPath(cell.href) ? make('a', 'strong', cell.label) : make('strong', '', cell.label);
  if (title instanceof HTMLAnchorElement) title.href = cell.href;
  box.append(title);
  for (const line of cell.lines ?? []) box.append(make('p', '', line));
  return box;
}
