// Tables: bulk selection with a count, "select all N", shift-click ranges, and rows by keyboard (j k Enter x).

import { t } from './core.js';

export function startTables(keysAreOurs) {
  for (const form of document.querySelectorAll('form[data-bulk]')) startBulk(form);
  for (const wrap of document.querySelectorAll('.table-wrap')) scrollWhenNeeded(wrap);
  const table = document.querySelector('table[data-rows]');
  if (table !== null) startRows(table, keysAreOurs);
}

/** A box that scrolls sideways ends the sticky header of the page, so a table gets one only when it is too wide. */
function scrollWhenNeeded(wrap) {
  const check = () => {
    const table = wrap.firstElementChild;
    wrap.classList.toggle('scroll-x', table !== null && table.scrollWidth > wrap.clientWidth + 1);
  };
  new ResizeObserver(check).observe(wrap);
}

function startBulk(form) {
  const boxes = [...form.querySelectorAll('tbody td.sel input[type="checkbox"]')];
  const page = form.querySelector('[data-select-page]');
  const bar = form.querySelector('.bulk');
  const count = form.querySelector('[data-count]');
  const matching = form.querySelector('[data-select-matching]');
  const scope = form.querySelector('input[name="scope"]');
  if (bar === null) return;
  let last = null;

  function refresh() {
    const chosen = boxes.filter((box) => box.checked).length;
    const all = scope?.value === 'matching';
    for (const box of boxes) box.closest('tr').classList.toggle('selected', box.checked);
    if (page !== null) {
      page.checked = chosen > 0 && chosen === boxes.length;
      page.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    bar.hidden = chosen === 0;
    bar.classList.toggle('on', chosen > 0);
    if (count !== null) {
      count.textContent = all ? t('allMatchingSelected', { n: matching?.dataset.total }) : t('selected', { n: chosen });
    }
    if (matching !== null) {
      matching.textContent = t('selectAllMatching', { n: matching.dataset.total });
      matching.hidden = all || chosen < boxes.length || matching.dataset.total === String(boxes.length);
    }
  }

  function setAll(checked) {
    for (const box of boxes) box.checked = checked;
    if (scope !== null) scope.value = 'selected';
    refresh();
  }

  form.addEventListener('change', (event) => {
    if (event.target === page) {
      setAll(page.checked);
    } else if (boxes.includes(event.target)) {
      if (scope !== null) scope.value = 'selected';
      refresh();
    }
  });
  form.addEventListener('click', (event) => {
    const index = boxes.indexOf(event.target);
    if (index >= 0) {
      if (event.shiftKey && last !== null) {
        const [from, to] = [Math.min(last, index), Math.max(last, index)];
        for (const box of boxes.slice(from, to + 1)) box.checked = event.target.checked;
        refresh();
      }
      last = index;
    } else if (event.target.closest('[data-clear]')) {
      setAll(false);
    } else if (matching !== null && event.target === matching && scope !== null) {
      scope.value = 'matching';
      refresh();
    }
  });
  form.addEventListener('keydown', (event) => {
    const busy = event.isComposing || document.querySelector('details.menu[open], dialog[open]') !== null;
    if (event.key === 'Escape' && !busy && bar.classList.contains('on')) setAll(false);
  });
  refresh();
  // Firefox restores ticks after this runs; bfcache restores them everywhere.
  window.addEventListener('pageshow', refresh);
}

function startRows(table, keysAreOurs) {
  const rows = [...table.tBodies[0]?.rows ?? []];
  let current = -1;

  function select(index) {
    if (rows.length === 0) return;
    rows[current]?.classList.remove('current');
    current = Math.max(0, Math.min(rows.length - 1, index));
    const row = rows[current];
    row.classList.add('current');
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }

  document.addEventListener('keydown', (event) => {
    if (!keysAreOurs(event)) return;
    const row = rows[current];
    if (event.key === 'j') {
      select(current + 1);
    } else if (event.key === 'k') {
      select(current < 0 ? 0 : current - 1);
    } else if (event.key === 'x' && row) {
      row.querySelector('td.sel input')?.click();
      row.focus({ preventScroll: true });
    } else if (event.key === 'Enter' && row && event.target === row) {
      (row.querySelector('td.main a, th a') ?? row.querySelector('a'))?.click();
    } else {
      return;
    }
    event.preventDefault();
  });
  table.addEventListener('focusin', (event) => {
    const index = rows.indexOf(event.target.closest('tr'));
    if (index >= 0 && index !== current) {
      rows[current]?.classList.remove('current');
      current = index;
      rows[index].classList.add('current');
    }
  });
}
