"use strict";

// A row that is added to an inline has lists to search in, like the rows that were there.
document.addEventListener("formset:added", (event) => {
  const $ = window.django && window.django.jQuery;
  if ($ && $.fn.djangoCustomSelect2) {
    $(event.target).find(".unfold-admin-autocomplete").djangoCustomSelect2();
  }
});

// After a mistake: the tab that holds it comes forward, and the first wrong field has the focus.
window.addEventListener("load", () => {
  const wrong = [...document.querySelectorAll("#content-main .errors")];
  if (!wrong.length) {
    return;
  }
  const isShown = (element) => element.offsetParent !== null;
  if (!wrong.some(isShown)) {
    const group = wrong[0].closest("[id$='-group'][data-inline-type]");
    const tab = group ? group.id.replace(/-group$/, "") : "general";
    document.querySelector(`#tabs-items a[href="#${tab}"]`)?.click();
  }
  window.setTimeout(() => {
    const field = wrong.find(isShown)?.querySelector("input:not([type=hidden]), select, textarea");
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  }, 100);
});
