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

function section({ title, wide, text, picture, drawings, table, matrix, galleries, facts }) {
  const made = make("section", wide ? "wide" : "", make("h3", "", title));
  made.ariaLabel = title;
  if (text) made.append(make("p", "", text));
  if (picture) made.append(drawn(picture, text));
  for (const { svg, caption } of drawings ?? []) {
    const frame = make("div", "drawing");
    frame.innerHTML = svg; // The server's own.
    made.append(wide ? scrolling(title, frame) : frame, make("p", "", caption));
  }
  if (table) made.append(scrolling(title, filled(table)));
  if (matrix) made.append(...confusion(title, matrix));
  for (const each of galleries ?? []) made.append(...gallery(each));
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

function filled({ columns, rows, best }) {
  const bodies = [make("tbody")];
  rows.forEach(([name, ...values], row) => {
    const cells = values.map((value, column) =>
      make("td", "", ...(best?.[row].includes(column) ? [star(), value] : [value]))
    );
    if (!values.length) bodies.push(make("tbody"));
    const first = header(values.length ? "row" : "rowgroup", name);
    if (!values.length) first.colSpan = columns.length;
    bodies.at(-1).append(make("tr", "", first, ...cells));
  });
  return make("table", best ? "compared" : "", titled(columns), ...bodies);
}

const titled = (columns) =>
  make(
    "thead",
    "",
    make("tr", "", ...columns.map((name) => name ? header("col", name) : make("td"))),
  );

function header(scope, name) {
  const cell = make("th", "", name);
  cell.scope = scope;
  return cell;
}

function star() {
  const mark = make("span", "star", "★ ");
  mark.role = "img";
  mark.ariaLabel = "best";
  return mark;
}

function confusion(model, { title, text, counts }) {
  const table = tally(counts, [..."0123456789"]);
  return [make("h4", "", title), make("p", "", text), scrolling(`${title}, ${model}`, table)];
}

// By what a digit is (down) and what it was taken for (across): the more often for something wrong,
// the darker.
function tally(counts, answers) {
  const most = Math.max(1, ...counts.flatMap((row, digit) => row.filter((_, i) => i !== digit)));
  const rows = counts.map((row, digit) => {
    const cells = row.map((count, answer) => {
      const cell = make("td", answer === digit ? "right" : "", count ? `${count}` : "");
      if (answer !== digit) cell.style.setProperty("--part", `${100 * Math.sqrt(count / most)}%`);
      return cell;
    });
    return make("tr", "", header("row", digit), ...cells);
  });
  return make("table", "matrix", titled(["", ...answers]), make("tbody", "", ...rows));
}

function gallery({ title, text, pictures }) {
  const list = make("ul", "gallery");
  if (pictures.length <= 10) list.classList.add("large");
  const items = pictures.map(({ png, name, caption }) => {
    const image = make("img");
    image.src = `data:image/png;base64,${png}`;
    image.alt = name;
    const words = make("span", "", caption);
    words.ariaHidden = "true";
    return make("li", "", image, words);
  });
  list.append(...items);
  return [make("h4", "", title), make("p", "", text), list];
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
