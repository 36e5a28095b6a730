// Small extras only. Every page works without this file.
(() => {
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // 1. After a failed form, take the reader to the summary.
  document.getElementById('errors')?.focus();

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

  // 4. Until a zone was chosen, show the device's, send it with forms, and tell the server for the next page.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || /\btz=/.test(`${document.cookie}${location.search}`)) return;
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  const shapes = {
    weekday: { weekday: 'long' },
    date: { day: 'numeric', month: 'long', year: 'numeric' },
    day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
    time: { timeStyle: 'short' },
  };
  // As the server writes them (events/formats.py): digits and clocks differ among the countries of one language.
  const { lang } = document.documentElement;
  const written = { en: 'en-GB', ar: 'ar-u-hc-h23-nu-latn' }[lang] || lang;
  const write = (iso, shape, language) =>
    new Intl.DateTimeFormat(language, { ...shape, timeZone: zone }).format(new Date(iso));
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
    words.hidden = start === end;
  });
  all('[data-city]', (place) => {
    const { city, at } = place.dataset;
    const offset = at && write(at, { timeZoneName: 'shortOffset' }, 'en-GB').replace(/.*GMT/, 'UTC');
    place.textContent = city.replace('{city}', cityHere).replace('{offset}', offset?.replace('-', '−').replace(/\+0$/, ''));
  });
  all('[data-elsewhere]', (place) => { if (isHere(place.dataset.elsewhere)) place.remove(); });
  all('input[name=time_zone]', (input) => { input.value = zone; });
})();
