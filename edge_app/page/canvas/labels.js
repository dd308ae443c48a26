// Labels: if the app stores drawings, one tap on a digit saves this drawing with that label, and
// the canvas is clean for the next one.
//
// The row below the canvas offers what suits the drawing: samples; labels, while it can be saved;
// and to undo that, once it is. It changes when a line ends, when a button elsewhere is pressed, and
// when the device replies to a tap on it. Then it ignores taps for a moment, because they may be
// meant for what was there before.

const DOUBLE_MS = 500; // The second tap of a double tap comes within this time.
const QUESTION = "What did you draw? It is stored only if you tap the digit.";
const LOST = "Can't reach the device. The drawing may";

const legend = find(".legend");
const usual = legend.textContent;
const tray = find(".tray"); // Holds what follows; null if the app stores no drawings.
const labels = find(".labels");
const saved = find(".saved");
const row = [labels, saved, find(".samples")];
const samples = props.samples.flatMap(({ strokes }) => strokes);
const ready = new Set(samples.map((stroke) => JSON.stringify(stroke)));

const attempts = new WeakMap(); // By state, the receipt that it has once it is saved.
const failures = new WeakMap(); // By state, why it could not be saved, or that not be undone.
let undoable; // The receipt of the drawing whose saving can be undone.
let count = null; // How many drawings the device has; null until it has told.

// The row and the line below it follow the drawing.
function follow() {
  report();
  if (!tray || drawing !== null || replaying) return;
  const state = strokes();
  const receipt = receipts.get(state);
  undoable = receipt;
  const offered = row[receipt ? 1 : isOwn(state) ? 0 : 2];
  const focused = row.find((part) => part.contains(document.activeElement));
  for (const part of row) part.hidden = part !== offered;
  if (focused?.hidden) clearing.focus();
  if (receipt) write(saved.firstChild, `Saved as ${receipt.label}`);
  const total = count === null ? usual : `Only drawings you label are stored: ${count} so far.`;
  const rest = receipt || state.length === 0 ? total : usual;
  write(legend, offered === labels ? QUESTION : rest);
}

// Whether somebody drew it, and no part of it is a sample.
function isOwn(state) {
  return state.length > 0 && !state.some((stroke) => ready.has(JSON.stringify(stroke)));
}

async function save(label) {
  drawing = null; // As other buttons do.
  const state = strokes();
  const earlier = attempts.get(state);
  // Sent again because an answer was lost, a drawing with the same key is stored only once.
  const receipt = earlier?.label === label ? earlier : { label, key: secret() };
  attempts.set(state, receipt);
  const request = submit(state, receipt, failures.has(state) ? earlier : receipt);
  await demand(state, request, `${LOST} not be saved.`, () => {
    receipts.set(state, receipt);
    write(announcement, `Saved as ${label}`);
    if (strokes() !== state) return; // It has been changed meanwhile.
    const clean = [];
    receipts.set(clean, receipt);
    act(() => add(clean));
  });
}

async function submit(state, receipt, failed) {
  // Its answer may have been lost, and not the drawing with the other label.
  if (failed !== receipt) await server.remove({ key: failed.key });
  return server.save({ strokes: sendable(state), ...receipt });
}

const secret = () => crypto.getRandomValues(new Uint8Array(16)).join("-");

async function unsave({ key }) {
  await demand(strokes(), server.remove({ key }), `${LOST} still be saved.`, () => {
    const those = states.filter((each) => receipts.get(each)?.key === key);
    const drawn = states.indexOf(those.find((each) => each.length > 0));
    const isClean = strokes().length === 0 && those.includes(strokes());
    for (const each of those) receipts.delete(each);
    write(announcement, "No longer saved");
    if (isClean && drawn >= 0) act(() => at = drawn);
  });
}

// The tool. To the clean canvas after a stored drawing it brings that back, no longer stored.
function takeBack() {
  const receipt = receipts.get(strokes());
  const saves = tray && canUndo() && strokes().length === 0 && !isPlaying();
  undo();
  if (saves && receipt) unsave(receipt);
}

// Waits for the device to do what was tapped.
async function demand(state, request, lost, succeed) {
  const focused = tray.contains(document.activeElement);
  tray.inert = true;
  const reply = await Promise.race([request, passed(LOST_MS)]) ?? { error: lost };
  if (reply.error) failures.set(state, reply.error);
  else {
    failures.delete(state);
    count = reply.count;
    succeed();
  }
  keep();
  follow();
  await passed(DOUBLE_MS);
  tray.inert = false;
  if (focused && document.activeElement === document.body) {
    row.find((part) => !part.hidden).querySelector("button").focus();
  }
}

if (tray) {
  for (let digit = 0; digit < 10; digit++) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = digit;
    button.ariaLabel = `Save the drawing as ${digit}`;
    button.addEventListener("click", () => save(digit));
    labels.append(button);
  }
  saved.querySelector("button").addEventListener("click", () => unsave(undoable));
  server.stored({}).then((answer) => {
    count ??= answer?.count ?? null;
    follow();
  });
}
