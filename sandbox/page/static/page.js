// Brings the page up to date where it is: after a form, after a link, and every two seconds. Nothing jumps, what is
// focused, opened or typed in stays, and everything works without this script.
"use strict";

const EVERY_MS = 2000;
let turn = 0;  // of what was asked for last; an older answer is out of date

// Makes a part of the page like a fresh one.
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

// Asks for a page and shows it; returns its address, or nothing when another was asked for meanwhile.
async function show(address, options = {}) {
  const mine = ++turn;
  const reply = await fetch(address, { cache: "no-store", ...options });
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  if (mine !== turn) return "";
  if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  const before = screen()?.dataset.screen;
  for (const part of ["header", "main"]) renew(document.querySelector(part), fresh.querySelector(part));
  if (screen()?.dataset.screen !== before) screen()?.scrollTo({ top: 0 });
  return reply.url;
}

const screen = () => document.getElementById("screen");

// Takes the reader to a place that cannot be seen at all, and the keyboard to where it would else be lost.
function arrive(place, block) {
  if (!place) return;
  if (place instanceof HTMLDetailsElement) place.open = true;
  const { top, bottom } = place.getBoundingClientRect();
  if (bottom < 60 || top > window.innerHeight - 60) place.scrollIntoView({ block });
  if (document.activeElement === document.body) place.focus({ preventScroll: true });
}

// What was typed into a form that was done is not typed any more.
function clear(form) {
  for (const each of form.elements) {
    if (each.matches("textarea, input:not([type=hidden])")) {
      each.value = each.defaultValue;
      each.checked = each.defaultChecked;
    }
  }
  const around = form.closest("details.once");
  if (!around) return;
  around.open = false;
  around.querySelector("summary").focus({ preventScroll: true });
}

// Does one thing after the other: what is pressed meanwhile does nothing.
async function once(act, otherwise) {
  const { classList } = document.documentElement;
  if (classList.contains("busy")) return;
  classList.add("busy");
  await act().catch(otherwise);
  classList.remove("busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  const sent = new URLSearchParams(new FormData(form, event.submitter));
  const action = new URL(form.action);
  if (form.method === "get") action.search = String(sent);
  once(async () => {
    const address = await show(action, form.method === "get" ? {} : { method: "POST", body: sent });
    if (!address) return;
    history.replaceState(null, "", address);
    const mistake = document.querySelector("[aria-invalid]");
    if (mistake) {
      mistake.focus();
      return;
    }
    clear(form);
    arrive(document.querySelector(action.hash || ".remark"), "nearest");
  }, () => location.reload());  // the sandbox is gone, or another one has its place
});

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="/?"]');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  once(async () => {
    const address = await show(link.href.split("#")[0]);
    if (!address) return;
    history.pushState(null, "", address);
    arrive(document.querySelector(link.hash || "main"), "start");
  }, () => (location.href = link.href));
});

addEventListener("popstate", () => show(location.href).catch(() => location.reload()));

(async function forever() {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    const isIdle = !document.hidden && !document.documentElement.classList.contains("busy");
    if (isIdle) await show(location.href.split("#")[0]).catch(() => undefined);  // the sandbox is gone, or not there yet
  }
})();
