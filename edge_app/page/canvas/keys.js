// Draws with the keyboard, during a challenge: arrow keys move the pen, Space puts it down or lifts
// it.

const KEYBOARD = "keyboard"; // Takes the place of a pointer's id.
const STEP = 25;
const FAR = 100; // With Shift.
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const cursor = document.createElement("i");
cursor.className = "cursor";
paper.after(cursor);

let pen = [SIDE / 2, SIDE / 4];

function placeCursor() {
  cursor.style.left = `${(100 * pen[0]) / SIDE}%`;
  cursor.style.top = `${(100 * pen[1]) / SIDE}%`;
}

const usualName = paper.ariaLabel;

function allowKeys(allowed) {
  if (allowed) paper.tabIndex = 0;
  else paper.removeAttribute("tabindex");
  paper.ariaLabel = allowed
    ? "Canvas: draw here, or with the arrow keys; Space puts the pen down or lifts it"
    : usualName;
  placeCursor();
}

paper.addEventListener("keydown", (event) => {
  if (event.key === " ") {
    if (drawing === KEYBOARD) lift();
    else if (drawing === null) {
      act(() => {
        add([...strokes(), [[...pen]]]);
        drawing = KEYBOARD;
      });
    }
  } else if (WAYS[event.key]) {
    const far = event.shiftKey ? FAR : STEP;
    pen = pen.map((value, axis) =>
      Math.min(SIDE, Math.max(0, value + far * WAYS[event.key][axis]))
    );
    placeCursor();
    if (drawing === KEYBOARD) {
      strokes().at(-1).push([...pen]);
      changed();
    }
  } else return;
  event.preventDefault();
});

paper.addEventListener("blur", () => drawing === KEYBOARD && lift());
