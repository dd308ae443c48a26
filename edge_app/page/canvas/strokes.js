// Strokes: lists of points [x, y] in a square of SIDE x SIDE, y down, whatever the canvas's size on
// the screen. A stroke that leaves the canvas has points outside of the square.

const SIDE = 1000;
const ROOM = 2800; // The most characters of a drawing in a request; the rest of it takes 200.
const FINEST = 1; // Moving a line by this much is invisible, on the screen and in 28 x 28 pixels.

// Returns what the canvas shows of the strokes, in at most ROOM characters of JSON.
function sendable(strokes) {
  const seen = strokes.flatMap(clip);
  let lines = seen;
  // No two points on the canvas are 4 * SIDE apart: in the end each line has two points.
  for (let tolerance = FINEST; tolerance <= 4 * SIDE; tolerance *= 2) {
    lines = seen.map((line) => simplify(line, tolerance));
    if (JSON.stringify(lines).length <= ROOM) return lines;
  }
  // Hundreds of strokes fill the canvas, which looks the same with every other one.
  while (JSON.stringify(lines).length > ROOM) lines = lines.filter((_, i) => i % 2 === 0);
  return lines;
}

// Returns the parts of a stroke that lie on the canvas.
function clip(stroke) {
  if (stroke.every((place) => place.every((value) => value >= 0 && value <= SIDE))) return [stroke];
  const parts = [];
  let part = null;
  for (let i = 1; i < stroke.length; i++) {
    const [from, to] = [stroke[i - 1], stroke[i]];
    const [enter, leave] = crossing(from, to);
    if (enter > leave) {
      part = null;
      continue;
    }
    if (part === null) parts.push(part = [between(from, to, enter)]);
    part.push(between(from, to, leave));
    if (leave < 1) part = null;
  }
  return parts;
}

// Returns where a line enters and leaves the canvas, as fractions of its length. If the first is
// larger, it misses the canvas. (Algorithm of Liang and Barsky.)
function crossing(from, to) {
  let [enter, leave] = [0, 1];
  for (const axis of [0, 1]) {
    const way = to[axis] - from[axis];
    if (way === 0) {
      if (from[axis] < 0 || from[axis] > SIDE) return [1, 0];
      continue;
    }
    const [near, far] = way > 0 ? [0, SIDE] : [SIDE, 0];
    enter = Math.max(enter, (near - from[axis]) / way);
    leave = Math.min(leave, (far - from[axis]) / way);
  }
  return [enter, leave];
}

const between = (from, to, part) =>
  from.map((value, axis) => Math.round(value + part * (to[axis] - value)));

// Drops points of a line that lie within the tolerance of the line through the others.
// (Algorithm of Ramer, Douglas and Peucker.)
function simplify(line, tolerance) {
  if (line.length < 3) return line;
  const kept = new Set([0, line.length - 1]);
  const spans = [[0, line.length - 1]];
  while (spans.length) {
    const [first, last] = spans.pop();
    let [farthest, most] = [0, tolerance];
    for (let i = first + 1; i < last; i++) {
      const distance = fromSegment(line[i], line[first], line[last]);
      if (distance > most) [farthest, most] = [i, distance];
    }
    if (!farthest) continue;
    kept.add(farthest);
    spans.push([first, farthest], [farthest, last]);
  }
  return line.filter((_, i) => kept.has(i));
}

function fromSegment([x, y], [fromX, fromY], [toX, toY]) {
  const [wayX, wayY] = [toX - fromX, toY - fromY];
  const square = wayX * wayX + wayY * wayY;
  const along = square ? ((x - fromX) * wayX + (y - fromY) * wayY) / square : 0;
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(x - fromX - part * wayX, y - fromY - part * wayY);
}
