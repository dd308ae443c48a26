// The class so far: the stored drawings as pictures, and what the models read in them.
//
// `server.classroom({digit, page})` returns
//   {count, classified, variant, digits: [ten counts], models: [{name, read, right, confusion}], page, pages,
//    drawings: [{id, label, strokes, note}], removable}   or   {error: sentence}.

const POLL_MS = 2000;
const SURE_MS = 4000; // A second tap within this time removes a drawing.
const DIGITS = [...Array(10).keys()];
const PICTURE = "http://www.w3.org/2000/svg";

const asked = { digit: null, page: 0 }; // Which drawings are shown.
let polling = null;

const look = () => server.classroom(asked);

const counted = (count) => count.toLocaleString("en");

// The tab's parts. Those that change when others are asked for are filled again.
function room(seen) {
  if (seen.error) return [make("p", "warning", seen.error)];
  const heading = make("h2", "", "The class so far");
  heading.tabIndex = -1;
  const line = make("p", "line");
  const file = make("a", "file", "Download the drawings");
  file.href = "drawings.jsonl";
  file.download = "";
  const choice = make("div", "digits", ...[null, ...DIGITS].map(digitButton));
  choice.role = "group";
  choice.ariaLabel = "Which drawings";
  const pictures = make(
    "section",
    "pictures",
    make(
      "p",
      "",
      "Tap a digit to see only its drawings; the small number says how many there are.",
    ),
    choice,
    make(
      "p",
      "",
      "Under each drawing is its label, the digit that was tapped to store it; in colour, who reads " +
        "something else: a model (“MLP: 9”), or one of its other precisions (“MLP dynamic: 9”).",
    ),
    make("div", "grid"),
    pager(),
  );
  pictures.ariaLabel = "Drawings";
  const tables = make("div", "sections tables");
  queueMicrotask(() => fill(seen));
  return [make("header", "", heading, line, file), pictures, tables];
}

function digitButton(digit) {
  const button = make("button", "");
  button.type = "button";
  button.addEventListener("click", () => change({ digit, page: 0 }));
  return button;
}

function pager() {
  const [previous, next] = [[-1, "Previous"], [1, "Next"]].map(([step, name]) => {
    const button = make("button", "", name);
    button.type = "button";
    button.addEventListener("click", () => {
      if (button.ariaDisabled !== "true") change({ page: asked.page + step });
    });
    return button;
  });
  return make("div", "pager", previous, make("p", ""), next);
}

async function change(wanted) {
  Object.assign(asked, wanted);
  const seen = await look(); // Undefined if it fails.
  if (seen && !seen.error && find(".pictures")) fill(seen);
  else say(seen?.error ?? "Can't reach the device. Open this tab again to retry.");
}

const say = (sentence) => find(".line")?.replaceChildren(sentence);

function fill(seen) {
  const { count, digits, page, pages, drawings, removable } = seen;
  asked.page = page;
  progress(seen);
  find(".file").hidden = count === 0;
  find(".pictures").hidden = find(".tables").hidden = count === 0;
  [...find(".digits").children].forEach((button, i) => {
    const digit = i ? i - 1 : null;
    button.replaceChildren(
      i ? `${digit}` : "All",
      make("small", "", counted(i ? digits[digit] : count)),
    );
    button.ariaPressed = digit === asked.digit;
  });
  find(".grid").replaceChildren(...drawings.map((each) => thumbnail(each, removable)));
  const [previous, where, next] = find(".pager").children;
  find(".pager").hidden = pages === 1;
  previous.ariaDisabled = page === 0;
  next.ariaDisabled = page === pages - 1;
  where.textContent = `Page ${counted(page + 1)} of ${counted(pages)}`;
  find(".tables").replaceChildren(
    key(),
    ...seen.models.map((each) => readings(each, seen.variant)),
  );
}

// Says how many drawings there are, and asks again while some are not classified.
function progress({ count, classified }) {
  const left = classified < count;
  const total = `${counted(count)} labelled drawing${count === 1 ? "" : "s"}`;
  say(
    count === 0
      ? "No drawing is stored yet. Draw a digit, then tap which digit it is."
      : left
      ? `${total}. Classified ${counted(classified)} of ${counted(count)}; ` +
        "this goes on while nobody draws."
      : `${total}. First come those on which models or their precisions disagree, then those ` +
        "that a model does not read as labelled; of each, the newest first.",
  );
  clearTimeout(polling);
  if (left) polling = setTimeout(poll, POLL_MS);
}

async function poll() {
  if (!find(".pictures")) return; // Another tab is open.
  const found = document.hidden ? null : await server.progress({});
  if (!find(".pictures")) return;
  if (found && found.classified >= found.count) change({});
  else if (found) progress(found);
  else polling = setTimeout(poll, POLL_MS);
}

function thumbnail({ id, label, strokes, note }, removable) {
  const drawn = document.createElementNS(PICTURE, "svg");
  drawn.setAttribute("viewBox", "0 0 100 100");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `A drawing of ${label}`);
  const line = document.createElementNS(PICTURE, "path");
  line.setAttribute("d", strokes.map((stroke) => `M${stroke.join(" ")}h0`).join(""));
  drawn.append(line);
  const caption = make("figcaption", "", make("b", "", `Label: ${label}`), make("span", "", note));
  const made = make("figure", note ? "misread" : "", drawn, caption);
  if (removable) made.append(remover(id, label));
  return made;
}

function remover(id, label) {
  const button = make("button", "", "×");
  button.type = "button";
  button.ariaLabel = `Remove this ${label}`;
  let sure = false;
  button.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      button.className = "sure";
      button.textContent = "Remove?";
      button.ariaLabel = `Tap again to remove this ${label}`;
      setTimeout(() => {
        sure = false;
        button.className = "";
        button.textContent = "×";
        button.ariaLabel = `Remove this ${label}`;
      }, SURE_MS);
      return;
    }
    const reply = await server.discard({ id });
    if (reply?.count === undefined) {
      say(reply?.error ?? "Can't reach the device. The drawing may still be stored.");
      return;
    }
    const at = [...find(".grid").children].indexOf(button.parentNode);
    await change({});
    const left = find(".grid").children;
    (left[Math.min(at, left.length - 1)]?.querySelector("button") ?? find("h2")).focus();
  });
  return button;
}

function key() {
  const text =
    "Each row is a label, each column what the model read in the drawings with that label; “?” " +
    "means that it was not sure. The blue cells count the drawings that are read as labelled, the " +
    "others the mistakes: the stronger their colour, the more of them.";
  return make("section", "wide", make("h3", "", "What each model reads"), make("p", "", text));
}

// What a model read, by label.
function readings({ name, read, right, confusion }, variant) {
  const part = read ? ` (${((100 * right) / read).toFixed(1)}%)` : "";
  const text =
    `In ${variant}, it reads ${counted(right)} of ${counted(read)} drawings as they are labelled` +
    `${part}.`;
  const table = scrolling(name, tally(confusion, [...DIGITS, "?"].map(String)));
  const made = make("section", "", make("h3", "", name), make("p", "", text), table);
  made.ariaLabel = name;
  return made;
}
