// The canvas: draws with mouse, finger or pen, and paints the strokes.

const PEN = 50; // The pen's width; the canvas is SIDE of the same units wide.
const NEAR = 3; // Points closer than this to the previous one are dropped; same unit.
const MOST = 2000; // The most points in a stroke; beyond that every other one is dropped.
const TAP = 8; // A pointer on what lies on the canvas draws if it moves farther, in CSS pixels.

const paper = find('[data-testid="canvas"]');
const hint = find(".hint");
const undoing = find('[data-testid="undo"]');
const redoing = find('[data-testid="redo"]');
const clearing = find('[data-testid="clear"]');

let drawing = null; // The id of the pointer that is drawing,
let drawingType = ""; // and what it is: "mouse", "touch" or "pen".

function point(event) {
  const box = paper.getBoundingClientRect();
  return [
    Math.round(((event.clientX - box.left) / box.width) * SIDE),
    Math.round(((event.clientY - box.top) / box.height) * SIDE),
  ];
}

function extend(event) {
  const stroke = strokes().at(-1);
  const events = event.getCoalescedEvents?.() ?? [];
  for (const each of events.length ? events : [event]) {
    const [x, y] = point(each);
    const [lastX, lastY] = stroke.at(-1);
    if (Math.hypot(x - lastX, y - lastY) >= NEAR) stroke.push([x, y]);
  }
  while (stroke.length > MOST) {
    const half = stroke.filter((_, i) => i % 2 === 0 || i === stroke.length - 1);
    stroke.splice(0, stroke.length, ...half);
  }
}

function press(event) {
  if (event.button !== 0) return;
  // A second finger draws nothing. But a pen takes over: what touches then is the hand's palm.
  const palm = drawing !== null && drawingType === "touch" && event.pointerType === "pen";
  if (drawing !== null && !palm) return;
  event.preventDefault();
  stopReplay();
  if (palm) forget();
  drawing = event.pointerId;
  drawingType = event.pointerType;
  paper.setPointerCapture(drawing);
  add([...strokes(), [point(event)]]);
  changed();
}

paper.addEventListener("pointerdown", press);

function draw(event) {
  if (event.pointerId !== drawing) return;
  extend(event);
  changed();
}

paper.addEventListener("pointermove", draw);

// For what lies on the canvas: a tap is its own, and a pointer that moves draws from where it was
// pressed.
function drawThrough(element, tapped = () => {}) {
  let pressed = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pressed) return;
    pressed = event;
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pressed?.pointerId) return;
    const start = pressed;
    if (Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) <= TAP) return;
    pressed = null;
    press(start); // The canvas gets the pointer, but not this event.
    draw(event);
  });
  element.addEventListener("pointerup", (event) => {
    if (event.pointerId !== pressed?.pointerId) return;
    pressed = null;
    tapped();
  });
  element.addEventListener("lostpointercapture", () => pressed = null);
  // As on the canvas.
  element.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
}

// Otherwise Chromium takes a fast stroke for a fling, and swallows the next tap on a button.
paper.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });

for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
  paper.addEventListener(name, (event) => {
    if (event.pointerId === drawing) lift();
  });
}

function lift() {
  drawing = null;
  ask(true); // Now it is compared with float32, too.
  keep();
  follow();
}

// Buttons and keys also end a stroke that another finger is drawing.
function act(action) {
  stopReplay();
  drawing = null;
  action();
  changed();
}

// After a stored drawing the canvas is clean; clearing it once more brings the samples back.
const canClear = () => strokes().length > 0 || receipts.has(strokes());

function clear() {
  if (canClear()) add([]);
}

undoing.addEventListener("click", () => act(takeBack));
redoing.addEventListener("click", () => act(redo));
clearing.addEventListener("click", () => act(clear));

const KEYS = { z: takeBack, "shift+z": redo, y: redo };

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.target.closest?.("input:not([type=radio]), textarea, select")) return;
  const command = event.ctrlKey || event.metaKey;
  // On a layout without Latin letters the key's position counts: "я" is on KeyZ.
  const letter = /^[^a-z]$/i.test(event.key) ? event.code.replace("Key", "") : event.key;
  const key = (event.shiftKey ? "shift+" : "") + letter.toLowerCase();
  const action = command ? KEYS[key] : key === "escape" ? clear : undefined;
  if (!action || !paper.checkVisibility()) return;
  event.preventDefault();
  act(action);
});

function changed() {
  closeWhy();
  repaint();
  follow();
  undoing.ariaDisabled = !canUndo();
  redoing.ariaDisabled = !canRedo();
  clearing.ariaDisabled = !canClear();
  if (drawing === null && !replaying) keep();
  ask();
}

// Also in the middle of a stroke.
window.addEventListener("pagehide", () => {
  stopReplay();
  keep();
});

// Painting

const outlines = new WeakMap(); // By stroke; a stroke that has grown is outlined again.

function outline(stroke) {
  const known = outlines.get(stroke);
  if (known?.points === stroke.length) return known.path;
  const path = new Path2D();
  path.moveTo(...stroke[0]);
  // Curves from middle to middle of neighbouring points: smooth, and through no corner.
  for (let i = 1; i < stroke.length - 1; i++) {
    const [[x, y], [nextX, nextY]] = [stroke[i], stroke[i + 1]];
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  path.lineTo(...stroke.at(-1));
  outlines.set(stroke, { points: stroke.length, path });
  return path;
}

// As a line of no length it would stay invisible in some browsers.
function dot([x, y]) {
  const path = new Path2D();
  path.arc(x, y, PEN / 2, 0, 2 * Math.PI);
  return path;
}

let painting = false;

// At most once a frame.
function repaint() {
  if (!painting) requestAnimationFrame(paint);
  painting = true;
}

// Draws the strokes, in units of the canvas.
function trace(pen) {
  pen.lineWidth = PEN;
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes()) {
    if (stroke.length === 1) pen.fill(dot(stroke[0]));
    else pen.stroke(outline(stroke));
  }
}

function paint() {
  painting = false;
  const pixels = Math.round(paper.clientWidth * window.devicePixelRatio);
  if (paper.width !== pixels) paper.width = paper.height = pixels;
  const pen = paper.getContext("2d");
  pen.setTransform(pixels / SIDE, 0, 0, pixels / SIDE, 0, 0);
  pen.clearRect(0, 0, SIDE, SIDE);
  pen.fillStyle = pen.strokeStyle = getComputedStyle(paper).color;
  trace(pen);
  hint.hidden = strokes().length > 0;
  paintWhy();
}

new ResizeObserver(paint).observe(paper);
// The ink has the theme's colour, which follows the system between light and dark.
new MutationObserver(repaint).observe(document.body, { attributeFilter: ["class"] });

// On a screen of another density the canvas may keep its size but needs other pixels.
(function followDensity() {
  const now = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
  now.addEventListener("change", () => (repaint(), followDensity()), { once: true });
})();
