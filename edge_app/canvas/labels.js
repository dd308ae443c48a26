// Labels: where the app stores drawings, one tap stores this one with the digit that it was meant
// to be. While there is a drawing to store, they stand in the samples' place.

const labels = find(".labels");
const stored = new WeakSet(); // States of the drawing.
const LOST = { error: "The device does not answer: the drawing may not be stored." };
const ready = new Set(props.samples.map(({ strokes }) => JSON.stringify(strokes)));

function offer() {
  if (!labels || drawing !== null || replaying) return;
  const state = strokes();
  const own = state.length > 0 && !ready.has(JSON.stringify(state));
  labels.hidden = !own || stored.has(state);
  find(".samples").hidden = !labels.hidden;
}

async function store(label) {
  const state = strokes();
  stored.add(state); // At once: a second tap stores nothing.
  offer();
  const saved = server.save({ strokes: sendable(state), label }); // Nothing where it failed.
  const { count, error } = await Promise.race([saved, passed(LOST_MS)]) ?? LOST;
  if (error) {
    stored.delete(state);
    write(status, error);
    offer();
  } else {
    tell(`Stored as ${label}`, count);
  }
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
