// Asks the server: one request at a time, then again if the drawing has changed meanwhile.
//
// `server.answer({strokes, variant, unfinished})` returns
//   {answers: {<model>: {digit, accepted, probabilities, variant, latency_us, drift,
//    float32_digit, digit_like}}, views: {<normalization>: base64 of 28 x 28 bytes}}   or   {error: sentence}.

const RETRY_MS = 2000;
const SLOW_MS = 3000; // After so long without an answer the page says that it is waiting,
const LOST_MS = 15_000; // and after so long it asks again.

const status = find(".status");

let trouble = ""; // Why the answers are not those to this drawing.
let asking = false;
let unasked = false; // Whether the drawing has changed since it was sent.

async function ask() {
  unasked = true;
  if (asking || photographed()) return;
  asking = true;
  try {
    while (unasked && !photographed()) {
      unasked = false;
      await use(await request());
    }
  } finally {
    asking = false;
  }
}

async function use(answer) {
  if (photographed()) return; // It has been taken meanwhile, and covers the drawing.
  if (answer === undefined) {
    outdated("Can't reach the device. Retrying…");
    await passed(RETRY_MS);
    await meetAgain();
    unasked = true;
  } else if (answer.error) {
    outdated(answer.error);
    await meetAgain();
  } else if (fits(answer)) {
    trouble = "";
    report();
    answersPlace.classList.remove("stale");
    show(answer);
  } else {
    reload(); // The app now serves other models.
    await passed(RETRY_MS);
    unasked = true;
  }
}

// Returns the server's answer, or undefined if there is none.
async function request() {
  const slow = setTimeout(() => outdated("Waiting for the device…"), SLOW_MS);
  try {
    // During a stroke only the chosen variant answers, which is quicker.
    const unfinished = drawing !== null || undefined;
    const state = { strokes: sendable(strokes()), variant: chosen(), unfinished };
    return await Promise.race([server.answer(state), passed(LOST_MS)]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(slow);
  }
}

// That a drawing is not stored is said for as long as it is seen.
const report = () => write(status, failures.get(strokes()) ?? trouble);

const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function outdated(sentence) {
  trouble = sentence;
  report();
  answersPlace.classList.add("stale");
}

// A restarted app has forgotten who is logged in, and may serve a different page, which has to be
// loaded. The drawing survives that.
async function meetAgain() {
  const login = await read("login_check");
  if (login?.status === 401) reload();
  if (!login?.ok) return;
  const id = await read("app_id").then((response) => response.json()).catch(() => null);
  const known = window.gradio_config?.app_id;
  if (id !== null && known !== undefined && id.app_id !== known) reload();
}

// Returns null if no response came in time.
const read = (path) =>
  fetch(`gradio_api/${path}`, { signal: AbortSignal.timeout(LOST_MS) }).catch(() => null);

function reload() {
  if (drawing === null) location.reload(); // Not in the middle of a stroke.
}
