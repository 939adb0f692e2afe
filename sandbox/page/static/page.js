// Updates the page in place: after a form, after a link, and every two seconds. Nothing jumps; focus, open parts and
// typed text stay; an action during another one follows it; and the page works without this script.
"use strict";

const EVERY_MS = 2000;
const QUICK_MS = 500;  // shorter actions are not announced
const pressed = [];  // the actions that are not done yet, oldest first
const kept = [];  // outcomes of actions that the next outcome has replaced on the page
let last = Promise.resolve();  // resolves when all actions are done, except the ones that go first
let turn = 0;  // the number of the last request; an earlier refresh is out of date

// Makes a part of the page equal to a fresh one.
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

// Fetches a page, shows it, and returns its address; a refresh shows nothing when another request came meanwhile.
async function show(address, options = {}, isLook = false) {
  const mine = ++turn;
  const reply = await fetch(address, { cache: "no-store", ...options });
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  if (isLook && mine !== turn) return "";
  if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  const before = screen()?.dataset.screen;
  for (const part of ["header", "main"]) renew(document.querySelector(part), fresh.querySelector(part));
  if (screen()?.dataset.screen !== before) screen()?.scrollTo({ top: 0 });
  return reply.url;
}

const screen = () => document.getElementById("screen");

// Scrolls to a place that is out of view, and moves the focus where it would otherwise be lost.
function arrive(place, block) {
  if (!place) return;
  if (place instanceof HTMLDetailsElement) place.open = true;
  const { top, bottom } = place.getBoundingClientRect();
  if (bottom < 60 || top > window.innerHeight - 60) place.scrollIntoView({ block });
  if (document.activeElement === document.body) place.focus({ preventScroll: true });
}

// Tells whether the focus may move: not while the person types into another field.
function isFree(form) {
  const at = document.activeElement;
  return form.contains(at) || !at.matches("input, textarea, select");
}

// Clears the text of a form that is done; text typed since then stays.
function clear(form, sent) {
  for (const each of form.elements) {
    if (each.matches("textarea, input:not([type=hidden])") && each.value === sent.get(each.name)) {
      each.value = each.defaultValue;
      each.checked = each.defaultChecked;
    }
  }
  const around = form.closest("details.once");
  if (!around) return;
  const mayTake = isFree(form);
  around.open = false;
  if (mayTake) around.querySelector("summary").focus({ preventScroll: true });
}

function remark(className, textContent) {
  const line = Object.assign(document.createElement("p"), { className, textContent });
  line.setAttribute("role", "status");
  return line;
}

// Shows the present action, the next ones, and the outcomes of earlier ones.
function tell() {
  document.documentElement.classList.toggle("busy", pressed.length > 0);
  const said = document.getElementById("said");
  const [now, ...then] = pressed.filter((each) => !each.passes);
  const lines = kept.map(([name, text]) => remark(`${name} kept`, text));
  for (const each of said.querySelectorAll(".kept")) each.remove();
  if (now && (now.doing || then.length || performance.now() - now.at >= QUICK_MS)) {
    const follows = then.length ? ` Then: ${then.map((each) => each.name).join(", ")}.` : "";
    said.replaceChildren(remark("remark doing", (now.doing || `${now.name}…`) + follows));
  }
  if (lines.length) said.querySelector(".quiet")?.remove();
  said.append(...lines);
}

// Does one action after the other, and some at once; the same action pressed again meanwhile is done once.
function press(button, key, act, otherwise) {
  if (pressed.some((each) => each.key === key)) return;
  if (!pressed.length) kept.length = 0;
  const { passes, doing } = button.dataset;
  const each = { key, name: button.textContent.trim().replace(/\s+/g, " "), doing, passes: passes !== undefined };
  const done = async () => {
    each.at = performance.now();
    setTimeout(tell, QUICK_MS);
    await act(() => pressed.at(-1) === each).catch(otherwise);
    pressed.splice(pressed.indexOf(each), 1);
    if (pressed.length) {
      for (const came of document.querySelectorAll(".remark[role=status]:not(.doing, .kept), .wrong")) {
        kept.push([came.matches(".wrong") ? "remark bad" : came.className, came.textContent]);
      }
    }
    tell();
  };
  pressed.push(each);
  if (each.passes) done();
  else last = last.then(done);
  tell();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  const sent = new URLSearchParams(new FormData(form, event.submitter));
  const action = new URL(form.action);
  if (form.method === "get") action.search = String(sent);
  press(event.submitter ?? form, `${action} ${sent}`, async (isNewest) => {
    const address = await show(action, form.method === "get" ? {} : { method: "POST", body: sent });
    history.replaceState(null, "", address);
    const mistake = document.querySelector("[aria-invalid]");
    if (mistake) {
      if (isFree(form)) mistake.focus();
      return;
    }
    clear(form, sent);
    if (isNewest()) arrive(document.querySelector(action.hash || ".remark:not(.doing, .kept)"), "nearest");
  }, () => location.reload());  // the sandbox is gone, or another one has replaced it
});

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="/?"]');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  press(link, link.href, async () => {
    const address = await show(link.href.split("#")[0]);
    history.pushState(null, "", address);
    arrive(document.querySelector(link.hash || "main"), "start");
  }, () => (location.href = link.href));
});

addEventListener("popstate", () => show(location.href).catch(() => location.reload()));

(async function forever() {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    const isIdle = !document.hidden && !document.documentElement.classList.contains("busy");
    if (isIdle) await show(location.href.split("#")[0], {}, true).then(tell, () => undefined);  // the sandbox is gone, or has not started yet
  }
})();
