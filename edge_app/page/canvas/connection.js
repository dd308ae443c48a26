// Asking: one request at a time, and after it the newest state of the drawing if that has changed.
//
// Each state goes to `server.answer({strokes, variant})`, which gives
//   {answers: {<model>: {digit, accepted, probabilities, variant, latency_us, drift,
//    float32_digit}}, views: {<normalization>: base64 of 28 x 28 bytes}}   or   {error: sentence}.

const RETRY_MS = 2000;
const SLOW_MS = 3000; // Without an answer for so long, the page says that it waits,
const LOST_MS = 15_000; // and after so long it asks again.

const status = find(".status");

let asking = false;
let unasked = false; // Whether the drawing has changed since it was sent.

async function ask() {
  unasked = true;
  if (asking) return;
  asking = true;
  try {
    while (unasked) {
      unasked = false;
      await use(await request());
    }
  } finally {
    asking = false;
  }
}

async function use(answer) {
  if (answer === undefined) {
    outdated("The device does not answer. Trying again.");
    await passed(RETRY_MS);
    await meetAgain();
    unasked = true;
  } else if (answer.error) {
    outdated(answer.error);
    await meetAgain();
  } else if (fits(answer)) {
    write(status, "");
    answersPlace.classList.remove("stale");
    show(answer);
  } else {
    reload(); // It serves other models than before.
    await passed(RETRY_MS);
    unasked = true;
  }
}

// The server's answer; undefined where there is none.
async function request() {
  const slow = setTimeout(() => outdated("Waiting for the device."), SLOW_MS);
  try {
    const state = { strokes: sendable(strokes()), variant: chosen() };
    return await Promise.race([server.answer(state), passed(LOST_MS)]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(slow);
  }
}

const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function outdated(sentence) {
  write(status, sentence);
  answersPlace.classList.add("stale");
}

// An app that was started anew has forgotten who logged in, and may serve another page: that has to
// be loaded. The drawing outlives it.
async function meetAgain() {
  const login = await read("login_check");
  if (login?.status === 401) reload();
  if (!login?.ok) return;
  const id = await read("app_id").then((response) => response.json()).catch(() => null);
  const known = window.gradio_config?.app_id;
  if (id !== null && known !== undefined && id.app_id !== known) reload();
}

// Null where nothing came in time.
const read = (path) =>
  fetch(`gradio_api/${path}`, { signal: AbortSignal.timeout(LOST_MS) }).catch(() => null);

function reload() {
  if (drawing === null) location.reload(); // Not under a finger that draws.
}
