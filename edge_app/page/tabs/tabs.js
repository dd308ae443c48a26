// The tabs. Gradio runs this once, with `element` (the component's root) and `server` (its Python
// functions) in scope. The open tab is part of the address, so the browser's Back button works.
//
// `server.sheet(name)` returns what a tab shows (a Sheet of content.py), or null for nothing.

const find = (selector) => element.querySelector(selector);
const links = [...element.querySelectorAll("a")];
const place = find(".sheet");

const named = (name) => links.find((link) => link.hash.slice(1) === name && !link.hidden);
const opened = () => named(location.hash.slice(1)) ?? links[0];

function open() {
  const link = opened();
  for (const each of links) each.ariaCurrent = each === link ? "page" : null;
  place.hidden = [links[0].hash, "#play"].includes(link.hash); // The canvas is shown then.
  place.replaceChildren();
  if (!place.hidden) read(link);
}

// A sheet is read when its tab is opened, and does not change while it stays open.
async function read(link) {
  place.ariaBusy = "true";
  const own = link.hash === "#class";
  const sheet = await (own ? look() : server.sheet(link.hash.slice(1))); // Undefined if it fails.
  if (opened() !== link || place.childElementCount) return;
  place.ariaBusy = "false";
  place.append(...(sheet ? (own ? room : parts)(sheet) : [make("p", "warning", missing(sheet))]));
  find("h2")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

const missing = (sheet) =>
  sheet === null
    ? "There is nothing left to show here."
    : "Can't reach the device. Open this tab again to retry.";

// From a sheet to elements. Texts are never taken as markup.

function make(tag, name, ...content) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...content);
  return made;
}

function parts({ title, text, warnings, sections }) {
  const heading = make("h2", "", title);
  heading.tabIndex = -1;
  return [
    make("header", "", heading, make("p", "", text)),
    ...warnings.map((sentence) => make("p", "warning", sentence)),
    make("div", "sections", ...sections.map(section)),
  ];
}

function section({ title, text, picture, facts, table }) {
  const made = make("section", "", make("h3", "", title));
  made.ariaLabel = title;
  if (text) made.append(make("p", "", text));
  if (picture) made.append(drawn(picture, text));
  if (table) made.append(scrolling(title, filled(table)));
  if (facts?.length) made.append(listed(facts));
  return made;
}

// The server's own SVG: the QR code of the address above it.
function drawn(picture, text) {
  const frame = make("div", "picture");
  frame.innerHTML = picture;
  frame.firstChild.ariaLabel = `QR code of ${text.split("\n")[0]}`;
  return frame;
}

function filled({ columns, rows }) {
  const head = make("tr", "", ...columns.map((name) => make(name ? "th" : "td", "", name)));
  for (const cell of head.querySelectorAll("th")) cell.scope = "col";
  const body = rows.map(([name, ...values]) => {
    const first = make("th", "", name);
    first.scope = "row";
    return make("tr", "", first, ...values.map((value) => make("td", "", value)));
  });
  return make("table", "", make("thead", "", head), make("tbody", "", ...body));
}

// A table that is too wide scrolls in place, also by keyboard.
function scrolling(title, table) {
  const frame = make("div", "table", table);
  frame.role = "region";
  frame.ariaLabel = `Figures: ${title}`;
  new ResizeObserver(() => {
    if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
    else frame.removeAttribute("tabindex");
  }).observe(frame);
  return frame;
}

function listed(facts) {
  const rows = facts.map(([name, value]) =>
    make("div", "", make("dt", "", name), make("dd", "", value))
  );
  return make("dl", "", ...rows);
}

// The Benchmark tab appears once the server says that there is one.
server.sheet("benchmark").then((sheet) => {
  const link = find('[href="#benchmark"]');
  link.hidden = !sheet;
  if (sheet && link === opened()) open();
});

addEventListener("hashchange", open);

find("nav").addEventListener("click", (event) => {
  // The address does not change, but the sheet is read again.
  if (event.target.closest("a") === opened()) open();
});

open();
