// Small extras only. Every page works without this file.
(() => {
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // 1. After a failed form, take the reader to what is wrong, where no field has the focus already.
  if (!document.querySelector('[autofocus]')) document.getElementById('errors')?.focus();

  // 2. Copying needs script, so its button starts hidden.
  if (navigator.clipboard) all('[data-copy]', (button) => {
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      button.textContent = button.dataset.done || button.textContent;
    };
  });

  // 3. So does handing the address to an app.
  if (navigator.share) all('[data-share]', (button) => {
    button.hidden = false;
    button.onclick = () => navigator.share({ title: document.title, url: button.dataset.share }).catch(() => {});
  });

  // 4. A question that depends on another waits for its answer. What was typed into it stays.
  const waiting = [...document.querySelectorAll('[data-if]')];
  const ask = () => waiting.forEach((part) => {
    const { if: name, answers } = part.dataset;
    const form = part.closest('form');
    const said = new FormData(form).getAll(name).map((value) => value.trim().toLowerCase());
    const isAsked = answers ? answers.split('\n').some((value) => said.includes(value)) : said.some(Boolean);
    part.hidden = !isAsked || !!form.querySelector(`[hidden] [name="${name}"]`);
  });
  ask();
  ['input', 'pageshow'].forEach((moment) => addEventListener(moment, ask));

  // 5. Until a zone was chosen, show the device's, send it with forms, and tell the server for the next page.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || /\btz=/.test(`${document.cookie}${location.search}`)) return;
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  const shapes = {
    weekday: { weekday: 'long' },
    date: { day: 'numeric', month: 'long', year: 'numeric' },
    day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
    long: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
    time: { timeStyle: 'short' },
    num: { day: 'numeric' },
    wd: { weekday: 'short' },
    month: { month: 'short', year: 'numeric' },
  };
  // As the server writes them (events/formats.py): digits and clocks differ among the countries of one language.
  const { lang } = document.documentElement;
  const written = { en: 'en-GB', ar: 'ar-u-hc-h23-nu-latn' }[lang] || lang;
  const write = (iso, shape, language) =>
    new Intl.DateTimeFormat(language, { ...shape, timeZone: zone }).format(new Date(iso));
  const offsetAt = (iso) =>
    write(iso, { timeZoneName: 'shortOffset' }, 'en-GB').replace(/.*GMT/, 'UTC').replace('-', '−').replace(/\+0$/, '');
  // "2020-10-28 17:30", and the hour of it.
  const wallAt = (iso) => write(iso, { dateStyle: 'short', timeStyle: 'short' }, 'sv');
  const hourAt = (iso) => +wallAt(iso).slice(11, 13) + wallAt(iso).slice(14) / 60;
  // A place may have an old name and a new one: the browser has its own choice, the list of places has the page's.
  const isHere = (name) => {
    try { return new Intl.DateTimeFormat([], { timeZone: name }).resolvedOptions().timeZone === zone; } catch { return false; }
  };
  const places = [...document.querySelectorAll('#tz option')];
  const here = places.find(({ value }) => value === zone) || places.find(({ value }) => isHere(value));
  const cityHere = here ? here.textContent : zone.split('/').pop().replace(/_/g, ' ');
  all('time[data-local]', (time) => {
    time.textContent = write(time.dateTime, shapes[time.dataset.local], written);
  });
  all('[data-wraps]', (words) => {
    const [start, end] = words.dataset.wraps.split(' ').map((iso) => write(iso, shapes.day, 'en'));
    words.textContent = start === end ? '' : words.dataset.words;
  });
  all('[data-city]', (place) => {
    const { city, at } = place.dataset;
    // "UTC, UTC" says nothing more.
    const words = isHere('UTC') ? city.replace(/[,،] \u2066?{offset}\u2069?/, '') : city;
    place.textContent = words.replace('{city}', cityHere).replace('{offset}', at && offsetAt(at));
  });
  all('[data-elsewhere]', (place) => { if (isHere(place.dataset.elsewhere)) place.remove(); });
  // The days of a list: each block moves with its hour.
  all('[data-bar]', (bar) => {
    const blocks = [...bar.querySelectorAll('rect')].map((block) => block.x.baseVal);
    const shift = hourAt(bar.dataset.bar) - blocks[0]?.value;
    blocks.forEach((x) => { x.value += shift; });
  });
  all('.cap[data-own]', (words) => { words.textContent = words.dataset.own; });
  // The meridian: the device's place in its row, between west and east; dates where they differ from the one there.
  all('.zones[data-own]', (list) => {
    const rows = [...list.querySelectorAll('[data-zone]')];
    const wallOf = (row) => row.querySelector('time').dateTime.slice(0, 16).replace('T', ' ');
    let own = rows.find((row) => isHere(row.dataset.zone));
    if (!rows[0]) return;
    const iso = rows[0].querySelector('time').dateTime;
    const wall = wallAt(iso);
    if (!own) {
      own = rows[0].cloneNode(true);
      const [time, sky, midnight] = ['time', 'use', '.mid'].map((part) => own.querySelector(part));
      const hour = hourAt(iso);
      time.textContent = write(iso, shapes.time, written);
      time.dateTime = wall.replace(' ', 'T');
      own.querySelector('.ltr').textContent = offsetAt(iso);
      sky.setAttribute('x', -12 - hour);
      midnight.setAttribute('d', `M${(36 - hour) % 24} 0v1`);
      list.insertBefore(own, rows.find((row) => wallOf(row) > wall) || null);
      rows.push(own);
    }
    own.className = 'me';
    const mark = document.createElement('small');
    mark.textContent = list.dataset.own;
    own.firstElementChild.replaceChildren(`${cityHere} `, mark);
    rows.forEach((row) => {
      const date = wallOf(row).slice(0, 10);
      row.querySelector('.off b')?.remove();
      if (date === wall.slice(0, 10)) return;
      const words = document.createElement('b');
      words.textContent = new Intl.DateTimeFormat(written, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(date));
      row.querySelector('.off').prepend(words, ' ');
    });
  });
  all('input[name=time_zone]', (input) => { input.value = zone; });
})();
