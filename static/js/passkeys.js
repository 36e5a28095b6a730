// Passkeys need a browser that knows them. Until it is known that this one does, what needs them is not shown.
(() => {
  const can = Boolean(window.PublicKeyCredential && navigator.credentials);
  document.querySelectorAll('[data-passkeys]').forEach((part) => { part.hidden = can !== (part.dataset.passkeys === 'yes'); });
  // Somebody closed the browser's question, or has none for this site: no fault of the page.
  document.addEventListener('allauth.error', (event) => {
    event.preventDefault();
    document.querySelectorAll('[data-no-passkey]').forEach((words) => { words.hidden = false; words.focus(); });
  });
})();
