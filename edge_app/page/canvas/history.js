// The drawing and its undo history: a list of states, each a list of strokes, and the index of the
// one shown. It survives loading the page again, which happens when the app was restarted.

const DEEPEST = 100; // The most states that are remembered.
const KEPT = "digits";

let states = [[]];
let at = 0;
// By state, the label and the key of the drawing that the app has stored: for the drawing, and for
// the clean canvas that came after it.
const receipts = new WeakMap();

const strokes = () => states[at];
const canUndo = () => at > 0;
const canRedo = () => at < states.length - 1;

function add(state) {
  states = [...states.slice(0, at + 1), state].slice(-DEEPEST);
  at = states.length - 1;
}

// Takes the newest state back for good.
function forget() {
  states.pop();
  at = states.length - 1;
}

function undo() {
  if (canUndo()) at--;
}

function redo() {
  if (canRedo()) at++;
}

// States share most of their strokes, so each stroke is written once.
function keep() {
  const all = [...new Set(states.flat())];
  const numbers = new Map(all.map((stroke, number) => [stroke, number]));
  const rows = states.map((state) => ({
    strokes: state.map((stroke) => numbers.get(stroke)),
    receipt: receipts.get(state),
  }));
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ all, rows, at, variant: chosen(), alone }));
  } catch {
    // Forbidden or full: the drawing is still on the page.
  }
}

function restore() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    if (kept === null) return;
    states = kept.rows.map((row) => row.strokes.map((number) => kept.all[number]));
    kept.rows.forEach(({ receipt }, row) => receipt && receipts.set(states[row], receipt));
    at = Math.min(Math.max(kept.at, 0), states.length - 1);
    choose(kept.variant);
    showAlone(kept.alone);
  } catch {
    [states, at] = [[[]], 0];
  }
}
