// Follows a job: asks its JSON each second, moves the bar, and goes on when it has finished. What fails is asked again,
// later and later.

import { formatter, isOwnPath, t } from './core.js';

const EVERY_MS = 1000;
const HIDDEN_MS = 5000;
const SLOWEST_MS = 15000;

export function start(sections) {
  for (const section of sections) follow(section);
}

function follow(section) {
  const bar = section.querySelector('progress');
  const count = section.querySelector('[data-job-count]');
  const state = section.querySelector('[data-job-state]');
  const message = section.querySelector('[data-job-message]');
  const whole = formatter({ format: 'integer' });
  const share = formatter({ format: 'percent', digits: 0 });
  let wait = EVERY_MS;

  function show(job) {
    section.dataset.state = job.state;
    if (state !== null && job.stateText) state.textContent = job.stateText;
    const known = typeof job.total === 'number' && job.total > 0;
    if (bar !== null) {
      if (known) {
        bar.max = job.total;
        bar.value = Math.min(job.done, job.total);
        bar.textContent = share(job.done / job.total);
      } else {
        bar.removeAttribute('value');
      }
    }
    if (count !== null) count.textContent = known ? `${whole(job.done)} / ${whole(job.total)}` : whole(job.done ?? 0);
    // Written only when it changed: a screen reader reads each change.
    if (message !== null && message.textContent !== (job.message ?? '')) message.textContent = job.message ?? '';
  }

  function finish() {
    const next = section.dataset.done;
    if (isOwnPath(next)) location.assign(next);
    else location.reload();
  }

  async function ask() {
    try {
      const answer = await fetch(section.dataset.poll, {
        headers: { Accept: 'application/json' },
        credentials: 'same-origin',
      });
      if (answer.status === 401 || answer.status === 403) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const job = await answer.json();
      show(job);
      if (job.finished) {
        finish();
        return;
      }
      wait = document.hidden ? HIDDEN_MS : EVERY_MS;
    } catch {
      wait = Math.min(SLOWEST_MS, wait * 1.7);
      if (message !== null) message.textContent = t('connectionLost');
    }
    setTimeout(ask, wait);
  }

  setTimeout(ask, EVERY_MS);
}
