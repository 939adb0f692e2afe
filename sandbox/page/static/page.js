// Keeps the page as it is on the server, and where the reader is on it. Everything works without this script.
"use strict";

const EVERY_MS = 2000;

// Brings a part of the page up to date: what is focused, opened or typed in stays.
function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let found = place;
    if (wanted.id) found = [...old.children].find((each) => each.id === wanted.id);
    const fits = found && found.nodeName === wanted.nodeName && (found.id || "") === (wanted.id || "");
    if (!fits) {
      old.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    while (place && place !== found && found.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_PRECEDING) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
    if (place !== found) old.insertBefore(found, place);
    renew(found, wanted);
    place = found.nextSibling;
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

async function refresh() {
  if (document.hidden) return;
  const reply = await fetch(location.href.split("#")[0], { cache: "no-store" });
  if (!reply.ok) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  renew(document.querySelector("header"), fresh.querySelector("header"));
  renew(document.querySelector("main"), fresh.querySelector("main"));
}

// After a form, the page is another one: go back to where the reader was, as far as the outcome is in view.
const kept = sessionStorage.getItem("scroll");
sessionStorage.removeItem("scroll");
if (kept !== null) {
  window.scrollTo({ top: Number(kept), behavior: "instant" });
  document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "nearest" });
}
document.addEventListener("submit", () => sessionStorage.setItem("scroll", String(window.scrollY)));

// What a fragment names may be closed.
const target = document.getElementById(location.hash.slice(1));
if (target instanceof HTMLDetailsElement) target.open = true;

(async function forever() {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    await refresh().catch(() => undefined);  // the sandbox is gone, or not there yet
  }
})();
