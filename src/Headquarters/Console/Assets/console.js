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

  const showAges = page => {
    for (const time of page.querySelectorAll('time')) {
      const text = age((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) {
        time.textContent = text;
      }
    }
  };

  const keyOf = node => node.dataset?.key ?? '';
  const isSame = (old, fresh) => old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);

  // Changes only what differs: focus, selection, scroll positions and what somebody types stay as they are.
  const update = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) {
        old.nodeValue = fresh.nodeValue;
      }
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name)) {
        old.removeAttribute(name);
      }
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) {
        old.setAttribute(name, value);
      }
    }
    updateChildren(old, fresh);
  };

  const updateChildren = (old, fresh) => {
    const kept = new Set([...fresh.children].map(keyOf));
    for (const child of [...old.children]) {
      if (!kept.has(keyOf(child))) {
        child.remove();
      }
    }
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const match = keyOf(child)
        ? [...old.children].find(c => isSame(c, child))
        : at && isSame(at, child) ? at : null;
      if (!match) {
        old.insertBefore(child, at);
        continue;
      }
      if (match !== at) {
        old.insertBefore(match, at);
      }
      update(match, child);
      at = match.nextSibling;
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
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
        showAges(page);
        update(document.getElementById('page'), page);
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

  showAges(document);
  setInterval(() => showAges(document), 1000);
  listen();
})();
