// The canvas component. Gradio runs this once, with `element` (the component's root), `props` and
// `server` (its Python functions) in scope.
//
// Strokes are lists of [x, y] in a square of 1000 x 1000, y down, whatever the canvas's size on the
// screen. Each state of the drawing goes to `server.answer({strokes, variant})`, which gives
//   {answers: {<model>: {digit, accepted, probabilities, variant, latency_us}},
//    views: {<normalization>: base64 of 28 x 28 bytes}}   or   {error: sentence}.

const SIDE = 1000;
const PEN = 50; // The pen's width, of SIDE.
const NEAR = 3; // Points closer than this to the last one, of SIDE, add nothing.
const MOST = 4000; // Points in a drawing; a request has room for more, see guard.py.
const RETRY_MS = 2000;

const find = (selector) => element.querySelector(selector);
const paper = find('[data-testid="canvas"]');
const variant = find('[data-testid="variant"]');
const status = find(".status");
const hint = find(".hint");

let strokes = [];
let drawing = null; // The pointer that draws now.

// Drawing

function point(event) {
  const box = paper.getBoundingClientRect();
  return [
    Math.round(((event.clientX - box.left) / box.width) * SIDE),
    Math.round(((event.clientY - box.top) / box.height) * SIDE),
  ];
}

function extend(event) {
  const stroke = strokes.at(-1);
  const events = event.getCoalescedEvents?.() ?? [];
  for (const each of events.length ? events : [event]) {
    const [x, y] = point(each);
    const [lastX, lastY] = stroke.at(-1);
    if (Math.hypot(x - lastX, y - lastY) >= NEAR) stroke.push([x, y]);
  }
  if (strokes.flat().length > MOST) strokes = strokes.map(thin);
}

// A canvas scribbled full looks the same with every other point.
const thin = (stroke) => stroke.filter((_, i) => i % 2 === 0 || i === stroke.length - 1);

paper.addEventListener("pointerdown", (event) => {
  if (drawing !== null || event.button !== 0) return; // A second finger draws nothing.
  event.preventDefault();
  drawing = event.pointerId;
  paper.setPointerCapture(drawing);
  strokes.push([point(event)]);
  changed();
});

paper.addEventListener("pointermove", (event) => {
  if (event.pointerId !== drawing) return;
  extend(event);
  changed();
});

for (const name of ["pointerup", "pointercancel"]) {
  paper.addEventListener(name, (event) => {
    if (event.pointerId === drawing) drawing = null;
  });
}

find('[data-testid="undo"]').addEventListener("click", () => {
  drawing = null; // Should another finger draw right now, its stroke ends here.
  strokes.pop();
  changed();
});

find('[data-testid="clear"]').addEventListener("click", () => {
  drawing = null;
  strokes = [];
  changed();
});

variant.addEventListener("change", ask);

function changed() {
  paint();
  ask();
}

// Painting

function paint() {
  const pixels = Math.round(paper.clientWidth * window.devicePixelRatio);
  if (paper.width !== pixels) paper.width = paper.height = pixels;
  const pen = paper.getContext("2d");
  pen.setTransform(pixels / SIDE, 0, 0, pixels / SIDE, 0, 0);
  pen.clearRect(0, 0, SIDE, SIDE);
  pen.strokeStyle = getComputedStyle(paper).color;
  pen.lineWidth = PEN;
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.beginPath();
    pen.moveTo(...stroke[0]);
    // Curves from middle to middle of neighbouring points: smooth, and through no corner.
    for (let i = 1; i < stroke.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [stroke[i], stroke[i + 1]];
      pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    pen.lineTo(...stroke.at(-1));
    pen.stroke();
  }
  hint.hidden = strokes.length > 0;
}

new ResizeObserver(paint).observe(paper);
// Gradio follows the system between light and dark; the ink's colour is the theme's.
new MutationObserver(paint).observe(document.body, { attributeFilter: ["class"] });

// Asking: one request at a time, and after it the newest state of the drawing if that has changed.

let asking = false;
let stale = false;

async function ask() {
  stale = true;
  if (asking) return;
  asking = true;
  while (stale) {
    stale = false;
    const answer = await server.answer({ strokes, variant: variant.value });
    if (answer === undefined) {
      say("The device does not answer. Trying again.");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      // Restarted, it has forgotten who logged in: loading the page anew asks for the password.
      const check = await fetch("gradio_api/login_check").catch(() => null);
      if (check?.status === 401) location.reload();
      stale = true;
    } else if (answer.error) {
      say(answer.error);
    } else {
      say("");
      show(answer);
    }
  }
  asking = false;
}

function say(sentence) {
  write(status, sentence);
}

// What stays the same is not written again: a screen reader would say it again.
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

// Answers

for (const list of element.querySelectorAll(".bars")) {
  for (let digit = 0; digit < 10; digit++) {
    const bar = document.createElement("li");
    bar.append(document.createElement("i"), String(digit));
    list.append(bar);
  }
}

function show({ answers, views }) {
  for (const section of element.querySelectorAll(".answer")) {
    const { digit, accepted, probabilities, latency_us } = answers[section.dataset.model];
    const blank = digit === null;
    const sure = !blank && accepted;
    write(section.querySelector(".digit"), blank ? "" : sure ? String(digit) : "?");
    write(section.querySelector(".confidence"), sure ? percent(probabilities[digit]) : "");
    const doubt = blank || sure ? ["", "", ""] : guesses(probabilities);
    section.querySelectorAll(".doubt span").forEach((place, i) => write(place, doubt[i]));
    write(section.querySelector(".latency"), blank ? "" : `${latency_us.toFixed(0)} µs`);
    section.querySelectorAll(".bars li").forEach((bar, of) => {
      bar.classList.toggle("best", sure && of === digit);
      bar.firstChild.style.setProperty("--probability", probabilities[of]);
      bar.title = `${of}: ${percent(probabilities[of])}`;
    });
  }
  for (const preview of element.querySelectorAll("[data-normalization]")) {
    const ink = atob(views[preview.dataset.normalization]);
    const image = new ImageData(28, 28);
    for (let i = 0; i < ink.length; i++) {
      image.data.fill(ink.charCodeAt(i), 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    preview.getContext("2d").putImageData(image, 0, 0);
  }
}

// The two best guesses in words, line by line.
function guesses(probabilities) {
  // Sorting is stable: of equals, the lower digit comes first.
  const [first, second] = [...probabilities.keys()]
    .sort((one, other) => probabilities[other] - probabilities[one])
    .map((digit) => `${digit} (${wholePercent(probabilities[digit])})`);
  return ["Not sure:", first, `or ${second}`];
}

// Tenths would say more than a model knows that is not sure.
function wholePercent(probability) {
  if (probability < 0.01) return "< 1%";
  return probability > 0.99 ? "> 99%" : `${Math.round(100 * probability)}%`;
}

function percent(probability) {
  // Never rounded up to a certainty that no model has.
  return probability > 0.999 ? "> 99.9%" : `${(100 * probability).toFixed(1)}%`;
}

changed();
