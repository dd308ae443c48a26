// Samples: digits to try without drawing. They draw themselves, stroke by stroke.

const REPLAY_MS = 900;

const SVG = "http://www.w3.org/2000/svg";
const still = matchMedia("(prefers-reduced-motion: reduce)");

let replaying = null; // The sample that is drawing itself, its state, and the next frame.

for (const { label, strokes } of props.samples) {
  const button = document.createElement("button");
  button.type = "button";
  button.ariaLabel = `Sample: ${label}`;
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 1000 1000");
  picture.setAttribute("aria-hidden", "true");
  for (const stroke of strokes) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", stroke.join(" "));
    picture.append(line);
  }
  button.append(picture);
  button.addEventListener("click", () => act(() => replay(strokes)));
  find(".samples").append(button);
}

function replay(sample) {
  if (still.matches) return add([...sample]);
  const state = [];
  add(state); // Grows with every frame, but is undone as a whole.
  const lengths = sample.map(length);
  const whole = lengths.reduce((sum, each) => sum + each, 0);
  const start = performance.now();
  const step = (now) => {
    const part = Math.min(1, Math.max(0, now - start) / REPLAY_MS);
    let left = part * whole;
    state.length = 0;
    sample.forEach((stroke, i) => {
      if (left > 0) state.push(left >= lengths[i] - 1e-6 ? stroke : beginning(stroke, left));
      left -= lengths[i];
    });
    if (part < 1) replaying.frame = requestAnimationFrame(step);
    else replaying = null;
    changed();
  };
  replaying = { sample, state, frame: requestAnimationFrame(step) };
}

// Completes the sample at once: half of one could not be told from a person's own drawing.
function stopReplay() {
  if (!replaying) return;
  const { sample, state, frame } = replaying;
  cancelAnimationFrame(frame);
  state.splice(0, state.length, ...sample);
  replaying = null;
}

const distance = ([x, y], [toX, toY]) => Math.hypot(toX - x, toY - y);

function length(stroke) {
  return stroke.slice(1).reduce((sum, place, i) => sum + distance(stroke[i], place), 0);
}

// The first part of a stroke, of a given length.
function beginning(stroke, left) {
  const part = [stroke[0]];
  for (let i = 1; i < stroke.length; i++) {
    const step = distance(stroke[i - 1], stroke[i]);
    if (step >= left) return [...part, between(stroke[i - 1], stroke[i], left / (step || 1))];
    part.push(stroke[i]);
    left -= step;
  }
  return part;
}
