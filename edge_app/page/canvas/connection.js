// Asks the server: one request at a time, then again if the drawing has changed meanwhile. Only when
// the pen is lifted it does not wait for the answer to what was drawn before.
//
// `server.answer({strokes, variant, unfinished})` returns
//   {answers: {<model>: {digit, accepted, probabilities, variant, latency_us, drift,
//    float32_digit, digit_like}}, views: {<normalization>: base64 of 28 x 28 bytes}}   or   {error: sentence}.

const RETRY_MS = 2000;
const SLOW_MS = 3000; // After so long without an answer the page says that it is waiting,
const LOST_MS = 15_000; // and after so long it asks again.

const status = find(".status");

let trouble = ""; // Why the answers are not those to this drawing.
let asker = null; // The one that asks: an older one shows the answer that it waits for, and ends.
let underWay = 0; // How many requests wait for an answer; never more than two.
let sent = 0; // How many requests have been sent,
let answered = 0; // and which of them the page shows the answers to.
let unasked = false; // Whether the drawing has changed since it was sent.

// Whether the answers are those to the whole drawing.
const isAnswered = () => !unasked && answered === sent;

async function ask(atOnce = false) {
  unasked = true;
  if (photographed() || (asker && !(atOnce && underWay === 1))) return;
  const me = asker = {};
  try {
    while (unasked && asker === me && !photographed()) {
      unasked = false;
      const number = ++sent;
      const answer = await request(number);
      if (number < sent && !(number > answered && answer?.answers && fits(answer))) break;
      if (await use(answer, number) && asker === me) unasked = true;
    }
  } finally {
    if (asker === me) asker = null;
  }
}

// Returns whether to ask again.
async function use(answer, number) {
  if (photographed()) return false; // It has been taken meanwhile, and covers the drawing.
  if (answer === undefined) {
    outdated("Can't reach the device. Retrying…");
    await passed(RETRY_MS);
    await meetAgain();
    return true;
  }
  if (answer.error) {
    outdated(answer.error);
    await meetAgain();
    return false;
  }
  if (!fits(answer)) {
    reload(); // The app now serves other models.
    await passed(RETRY_MS);
    return true;
  }
  answered = number;
  trouble = "";
  report();
  answersPlace.classList.remove("stale");
  show(answer);
  return false;
}

// Returns the server's answer, or undefined if there is none.
async function request(number) {
  const slow = setTimeout(() => number === sent && outdated("Waiting for the device…"), SLOW_MS);
  underWay++;
  try {
    // During a stroke only the chosen variant answers, which is quicker.
    const unfinished = drawing !== null || undefined;
    const state = { strokes: sendable(strokes()), variant: chosen(), unfinished };
    return await Promise.race([server.answer(state), passed(LOST_MS)]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(slow);
    underWay--;
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
