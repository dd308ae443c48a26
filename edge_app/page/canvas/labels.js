// Labels: if the app stores drawings, one tap on a digit stores this drawing with that label. The
// labels replace the samples while there is a drawing to store.

const labels = find(".labels");
const DOUBLE_MS = 500; // The second tap of a double tap comes within this time.
const LOST = { error: "Can't reach the device. The drawing may not be stored." };
const samples = props.samples.flatMap(({ strokes }) => strokes);
const ready = new Set(samples.map((stroke) => JSON.stringify(stroke)));

let tapped = null; // The state that was labelled just now.

// The rows are not swapped between the two taps of a double tap.
function offer() {
  if (!labels || drawing !== null || replaying) return;
  const state = strokes();
  const own = state.length > 0 && !state.some((stroke) => ready.has(JSON.stringify(stroke)));
  const hide = !own || (stored.has(state) && state !== tapped);
  if (hide && labels.contains(document.activeElement)) clearing.focus();
  labels.hidden = hide;
  find(".samples").hidden = !labels.hidden;
}

async function store(label) {
  const state = strokes();
  if (stored.has(state)) return; // A second tap must not store it again.
  stored.add(state);
  tapped = state;
  const over = passed(DOUBLE_MS);
  const saved = server.save({ strokes: sendable(state), label }); // Undefined if it fails.
  const { count, error } = await Promise.race([saved, passed(LOST_MS)]) ?? LOST;
  if (error) {
    stored.delete(state);
    write(status, error);
  } else {
    write(status, ""); // An earlier complaint is obsolete.
    tell(`Stored as ${label}`, count);
    clearTimeout(calm); // The answers need no announcement any more.
    write(announcement, find(".legend").textContent);
  }
  keep();
  await over;
  if (tapped === state) tapped = null;
  offer();
}

function tell(what, count) {
  write(find(".legend"), `${what} · ${count.toLocaleString("en")} stored on the device`);
}

if (labels) {
  for (let digit = 0; digit < 10; digit++) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = digit;
    button.ariaLabel = `Store the drawing as ${digit}`;
    button.addEventListener("click", () => store(digit));
    labels.append(button);
  }
  server.stored({}).then((answer) => {
    if (answer) tell("What was it? Tap to store it", answer.count);
  });
}
