"use strict";

// Puts the editor in place of each rich text's text area, which stays the field that is sent. Without this script the
// text area is all there is, and works.
{
  const attributes = Trix.config.blockAttributes;
  attributes.heading1 = { tagName: "h3", terminal: true, breakOnReturn: true, group: false };
  attributes.heading2 = { tagName: "h4", terminal: true, breakOnReturn: true, group: false };
  // Unfold's own names for the same tags would win when a stored text is read, and have no buttons here.
  delete attributes.heading3;
  delete attributes.heading4;
  delete attributes.p;

  // The editor knows no paragraphs, only empty lines; the server makes paragraphs of them again.
  const asEdited = (html) => html
    .replace(/<\/p>\s*<p>/g, "<br><br>")
    .replace(/<(\/?)p>/g, "<$1div>");

  // Pictures have fields of their own; a file dropped into the text would be lost when it is cleaned.
  document.addEventListener("trix-file-accept", (event) => event.preventDefault());

  const upgrade = (field) => {
    const area = field.querySelector("textarea");
    const toolbar = document.createElement("trix-toolbar");
    toolbar.id = `${area.id}_toolbar`;
    toolbar.innerHTML = field.querySelector("[data-rich-text-toolbar]").innerHTML;

    const editor = document.createElement("trix-editor");
    editor.setAttribute("input", area.id);
    editor.setAttribute("toolbar", toolbar.id);
    editor.className = area.className;
    const label = document.querySelector(`label[for="${area.id}"]`);
    if (label) {
      editor.setAttribute("aria-label", label.textContent.replace("*", "").trim());
      label.addEventListener("click", () => editor.focus());
    }

    area.value = asEdited(area.value);
    area.hidden = true;
    field.append(toolbar, editor);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-rich-text]").forEach(upgrade);
  });
}
