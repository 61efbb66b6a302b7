// Keeps a page true: fetches it anew when headquarters says that something changed, and counts ages in between.
(() => {
  'use strict';
  const live = document.getElementById('live');

  const age = seconds =>
    seconds < 2 ? 'just now'
      : seconds < 60 ? `${Math.floor(seconds)} s ago`
        : seconds < 3600 ? `${Math.floor(seconds / 60)} min ago`
          : seconds < 172800 ? `${Math.floor(seconds / 3600)} h ago`
            : `${Math.floor(seconds / 86400)} days ago`;

  const showAges = () => {
    for (const time of document.querySelectorAll('time')) {
      time.textContent = age((Date.now() - Date.parse(time.dateTime)) / 1000);
    }
  };

  // What somebody types must survive a refresh.
  const keepTyped = page => {
    const typed = document.querySelector('[data-keep]');
    const place = page.querySelector('[data-keep]');
    if (typed && place) {
      place.replaceWith(typed);
    }
  };

  let fetching = false;
  let again = false;
  const refresh = async () => {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(location.href, { redirect: 'manual' });
      if (answer.type === 'opaqueredirect') {
        location.reload();
        return;
      }
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('page');
        const focused = document.activeElement;
        keepTyped(page);
        document.getElementById('page').replaceWith(page);
        focused?.focus?.({ preventScroll: true });
        showAges();
      }
    } catch {
      // Headquarters is away; the event stream says so and comes back by itself.
    } finally {
      fetching = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  };

  const say = (state, text) => {
    live.className = `live ${state}`;
    live.textContent = text;
  };

  const listen = () => {
    const events = new EventSource('/console/events');
    events.addEventListener('open', () => say('on', 'live'));
    events.addEventListener('changed', refresh);
    events.addEventListener('error', () => {
      say('off', 'headquarters is away, trying again');
      // A browser gives up after an HTTP error (a restarting headquarters, an ended session): begin anew.
      if (events.readyState === EventSource.CLOSED) {
        setTimeout(() => { refresh(); listen(); }, 3000);
      }
    });
  };

  showAges();
  setInterval(showAges, 1000);
  listen();
})();
