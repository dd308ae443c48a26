// Why? shows on the drawing what speaks for the digit that a model reads and what for the runner-up.
// The device is asked when it is opened; nothing of this runs while somebody draws.
//
// `server.explain({strokes, variant, model})` returns {digit, runner_up, view, evidence: 28 rows of
// 28 numbers, exact, placement, balance}   or   {error: sentence}. Placement and balance lead from the
// 28 x 28 pixels to the canvas, see edge_app/digits/normalization.py.

const VIEW = 28;
const MIDDLE = (VIEW - 1) / 2;
const BEYOND = 10; // Ink that was balanced came from at most so many pixels outside of the view.
const FINE = 4; // The evidence is painted at so many times its resolution,
const GRID = FINE * (VIEW + 2 * BEYOND); // which makes so many values across and down,
const BLUR = 1.2; // smoothed with this standard deviation, in the view's pixels,
const REACH = 3; // from so many pixels around.

let why = null; // What is shown: {model, button, reply}, without reply until it comes.

const layer = document.createElement("div");
layer.className = "evidence";
layer.dataset.testid = "evidence";
layer.hidden = true;
layer.innerHTML = `<canvas role="img"></canvas>
  <div class="reason">
    <p></p>
    <p><span class="for"><i></i><b></b></span><span class="against"><i></i><b></b></span><span></span></p>
  </div>`;
paper.after(layer);
const picture = layer.firstChild;
const reason = layer.querySelector(".reason");
const [sentencePlace, legendPlace] = reason.children;

function offerWhy(button, offered) {
  if (!offered && document.activeElement === button) clearing.focus();
  button.hidden = !offered;
}

for (const button of element.querySelectorAll(".why")) {
  button.addEventListener("click", () => {
    const again = why?.button === button;
    closeWhy();
    if (!again) openWhy(button);
  });
}

async function openWhy(button) {
  const { model } = button.closest(".answer").dataset;
  const asked = why = { model, button };
  button.ariaExpanded = true;
  const state = { strokes: sendable(strokes()), variant: chosen(), model };
  const request = server.explain(state).catch(() => undefined);
  const reply = await Promise.race([request, passed(LOST_MS)]);
  if (why !== asked) return; // Closed or drawn on meanwhile.
  why.reply = reply ?? { error: "Can't reach the device. Try again in a moment." };
  tell();
  layer.hidden = false;
  paintWhy();
  paper.scrollIntoView({ block: "nearest" });
}

function closeWhy() {
  if (!why) return;
  why.button.ariaExpanded = false;
  why = null;
  layer.hidden = true;
}

function tell() {
  const { model, reply } = why;
  const { digit, runner_up, error, exact } = reply;
  const sentence = error ??
    (latest[model].accepted
      ? `What makes it ${withArticle(digit)} and not ${withArticle(runner_up)}`
      : `What speaks for ${withArticle(digit)}, and what for ${withArticle(runner_up)}`);
  write(sentencePlace, sentence);
  legendPlace.hidden = error !== undefined;
  write(legendPlace.querySelector(".for b"), `for ${digit}`);
  write(legendPlace.querySelector(".against b"), `for ${runner_up}`);
  write(legendPlace.lastChild, exact ? "weight × pixel" : "empty space counts, too");
  picture.hidden = error !== undefined;
  picture.ariaLabel = error ? "No explanation" : `${sentence}: ${inPlaces(reply)}`;
  write(announcement, error ?? `${titles.get(model)}: ${picture.ariaLabel}.`);
}

// Where the strongest evidence for either digit is.
function inPlaces({ digit, runner_up, evidence }) {
  const place = (sign) => {
    const thirds = Array(9).fill(0);
    evidence.forEach((row, y) =>
      row.forEach((value, x) => thirds[3 * thirdOf(y) + thirdOf(x)] += Math.max(0, sign * value))
    );
    const most = Math.max(...thirds);
    if (most === 0) return "nothing";
    const found = thirds.indexOf(most);
    const words = [
      ["top", "middle", "bottom"][Math.floor(found / 3)],
      ["left", "", "right"][found % 3],
    ];
    return `the ${words.join(" ").trim()}`;
  };
  return `most for ${digit}, ${place(1)}; most for ${runner_up}, ${place(-1)}`;
}

// The ink lies between pixels 4 and 23.
const thirdOf = (pixel) => Math.min(2, Math.max(0, Math.floor((pixel - 4) / (20 / 3))));

// Closing

for (const radio of variants) radio.addEventListener("change", closeWhy);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !why || !paper.checkVisibility()) return;
  event.preventDefault();
  event.stopPropagation(); // Otherwise it clears the canvas.
  closeWhy();
}, { capture: true });

drawThrough(layer, closeWhy);
layer.addEventListener("pointerdown", (event) => event.preventDefault());

// Painting

function paintWhy() {
  const { width } = paper;
  if (!why?.reply || !width) return; // On another tab the canvas has no size.
  picture.width = picture.height = width;
  const { evidence, view, placement, balance, exact } = why.reply;
  if (!evidence) return;
  const ink = Array.from(atob(view), (each) => each.charCodeAt(0) / 255);
  const values = evidence.flat();
  const strongest = (of) => Math.max(...of.map(Math.abs));
  const most = Math.max(1e-9, strongest(values));
  const mostOnInk = Math.max(0.4 * most, strongest(values.filter((_, i) => ink[i] > 0.5)));
  const [columns, rows] = balance.map(seen);
  const onInk = spread(values, ink.map((each) => each ** 2), columns, rows)
    .map((value) => Math.sign(value) * Math.abs(value / mostOnInk) ** 0.7);
  const pen = picture.getContext("2d");
  const place = makeRoom(width);
  pen.setTransform(place);
  pen.fillStyle = pen.strokeStyle = colour("--neutral");
  trace(pen);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  place.multiplySelf(new DOMMatrix(placement));
  const put = (field, composition) => {
    pen.globalCompositeOperation = composition;
    for (const sign of [1, -1]) pen.drawImage(tinted(field, sign, place, width), 0, 0);
  };
  put(onInk, "source-atop");
  if (exact) return; // Without ink there is no evidence.
  // Fainter than the ink, and only where it matters.
  const onPaper = spread(values, ink.map((each) => (1 - each) ** 2), columns, rows)
    .map((value, i) => {
      const [x, y] = [columns[i % GRID], rows[Math.floor(i / GRID)]];
      const rim = MIDDLE + 0.5 - Math.max(Math.abs(x - MIDDLE), Math.abs(y - MIDDLE));
      const faint = Math.max(0, Math.abs(value / most) - 0.1) * Math.min(1, rim / 3);
      return 0.6 * Math.sign(value) * faint;
    });
  put(onPaper, "destination-over");
}

// Returns the map from the drawing to the picture, in which nothing of it lies under the sentence:
// it is moved as little as that takes, and made smaller if it is too high.
function makeRoom(width) {
  const heights = strokes().flat().map(([, y]) => Math.min(SIDE, Math.max(0, y)));
  const [top, bottom] = [Math.min(...heights) - PEN / 2, Math.max(...heights) + PEN / 2];
  const above = top + bottom > SIDE;
  reason.classList.toggle("above", above);
  const taken = reason.offsetHeight / layer.offsetHeight * SIDE;
  const [first, last] = above ? [taken, SIDE] : [0, SIDE - taken];
  const zoom = Math.min(1, (last - first) / (bottom - top));
  const down = Math.max(first - zoom * top, Math.min(0, last - zoom * bottom));
  return new DOMMatrix()
    .scaleSelf(width / SIDE)
    .translateSelf(SIDE * (1 - zoom) / 2, down)
    .scaleSelf(zoom);
}

const emptyCanvas = (side) =>
  Object.assign(document.createElement("canvas"), { width: side, height: side });

const colour = (name) => getComputedStyle(layer).getPropertyValue(name);

// The column or row of the view that shows each of the GRID's.
const seen = ([k, deviation]) =>
  Array.from({ length: GRID }, (_, i) => {
    const v = ((i + 0.5) / FINE - 0.5 - BEYOND - MIDDLE) / deviation;
    return MIDDLE + deviation * v / (1 + k * v / (1 + Math.abs(v) / 2));
  });

// Each place's mean of the values around it, by weight, at FINE times the resolution.
function spread(values, weights, columns, rows) {
  const found = new Float32Array(GRID * GRID);
  const isSeen = (at) => Math.abs(at - MIDDLE) < VIEW / 2;
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const [x, y] = [columns[column], rows[row]];
      if (!isSeen(x) || !isSeen(y)) continue;
      let [sum, whole] = [0, 1e-3];
      for (let i = Math.ceil(y - REACH); i <= y + REACH; i++) {
        for (let j = Math.ceil(x - REACH); j <= x + REACH; j++) {
          if (i < 0 || j < 0 || i >= VIEW || j >= VIEW) continue;
          const near = Math.exp(-((x - j) ** 2 + (y - i) ** 2) / (2 * BLUR ** 2));
          const weight = near * weights[i * VIEW + j];
          sum += weight * values[i * VIEW + j];
          whole += weight;
        }
      }
      found[row * GRID + column] = sum / whole;
    }
  }
  return found;
}

// A field's values of a sign, in its colour: solid for the digit, striped for the runner-up.
function tinted(field, sign, place, width) {
  const mask = new ImageData(GRID, GRID);
  field.forEach((value, i) => mask.data[4 * i + 3] = 255 * sign * value);
  const small = emptyCanvas(GRID);
  small.getContext("2d").putImageData(mask, 0, 0);

  const large = emptyCanvas(width);
  const pen = large.getContext("2d");
  pen.setTransform(place);
  pen.imageSmoothingQuality = "high";
  const [corner, side] = [-0.5 - BEYOND, VIEW + 2 * BEYOND];
  pen.drawImage(small, corner, corner, side, side);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = sign > 0 ? colour("--for") : stripes(pen);
  pen.fillRect(0, 0, width, width);
  return large;
}

function stripes(pen) {
  const side = Math.round(8 * window.devicePixelRatio);
  const tile = emptyCanvas(side);
  const brush = tile.getContext("2d");
  brush.strokeStyle = colour("--against");
  brush.lineWidth = side * 0.42;
  for (const shift of [-side, 0, side]) {
    brush.moveTo(shift - side, side * 2);
    brush.lineTo(shift + side * 2, -side);
  }
  brush.stroke();
  return pen.createPattern(tile, "repeat");
}
