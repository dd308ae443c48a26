// The challenge: ten digits to draw, in turn so that every model reads them and so that exactly one
// does not. It happens in the browser alone.
//
// A drawing that does what was asked counts once the pen has been lifted for a second. Any other
// counts when its player says that it is done. Who does not succeed can go on drawing, clear, or
// skip: there is no hurry.

const FULL = 10; // Points for a digit.
const SETTLED_MS = 1000;
const PLAYED = "challenge";

const arena = find(".challenge");
const [task, standing] = arena.querySelectorAll("p");
const [doing, skipping, ending] = arena.querySelectorAll("button");
const outcome = find(".result");

// {rounds: [{digit, fool}], results: [{points, readers, of, strokes}], judged}, or null: `judged`
// says whether the last result is that of the round on the screen.
let game = null;
let latestAnswers = {};
let settling = null;
let finishing = false; // The player is done; the answers to the drawing are still to come.

const isPlaying = () => location.hash === "#play";

function begin() {
  const digits = [...Array(10).keys()].map((digit) => [Math.random(), digit])
    .sort(([one], [other]) => one - other);
  const several = cards.length > 1;
  const rounds = digits.map(([, digit], i) => ({ digit, fool: several && i % 2 === 1 }));
  game = { rounds, results: [], judged: false };
  turn();
}

function turn() {
  game.judged = finishing = false;
  if (strokes().length > 0 || receipts.has(strokes())) act(() => add([]));
  showTask();
}

const roundNow = () => game.rounds[game.results.length - Number(game.judged)];
const score = () => game.results.reduce((total, each) => total + each.points, 0);

function showTask() {
  const { digit, fool } = roundNow();
  const what = withArticle(digit);
  const whom = cards.length > 1 ? "every model reads" : "the model reads";
  write(
    task,
    game.judged ? verdict() : `Draw ${what} that ${fool ? "fools exactly one model" : whom}`,
  );
  task.classList.toggle("won", game.judged && game.results.at(-1).points === FULL);
  const place = `${game.results.length + Number(!game.judged)} of ${game.rounds.length}`;
  const rule = fool && !game.judged ? " · not sure counts as fooled" : "";
  write(standing, `${place} · ${score()} points${rule}`);
  const last = game.results.length === game.rounds.length;
  write(doing, game.judged ? (last ? "Result" : "Next") : "Done");
  skipping.hidden = game.judged;
  try {
    sessionStorage.setItem(PLAYED, JSON.stringify(game));
  } catch {
    // Forbidden or full: the challenge is still on the page.
  }
}

function verdict() {
  const { points, readers, of } = game.results.at(-1);
  const others = of.filter((model) => !readers.includes(model)).map((model) => props.names[model]);
  const gain = `${points} points`;
  if (others.length === of.length) {
    return `No model reads ${withArticle(roundNow().digit)}: ${gain}`;
  }
  if (!roundNow().fool) {
    return others.length ? `Not read by ${inWords(others)}: ${gain}` : `Yes, that is read! ${gain}`;
  }
  if (others.length === 1) return `You fooled ${others[0]}! ${gain}`;
  return `${others.length ? `Fooled ${inWords(others)}` : "No model is fooled"}: ${gain}`;
}

// Whether the answers are those to the whole drawing.
const isSettled = () => drawing === null && !replaying && isAnswered() && isOwn(strokes());

// Called with all answers.
function judge(answers) {
  latestAnswers = answers;
  clearTimeout(settling);
  if (!game || game.judged || !isPlaying() || !isSettled()) return;
  if (finishing) finish();
  else if (reached().points === FULL) {
    const state = strokes();
    settling = setTimeout(() => state === strokes() && isSettled() && finish(), SETTLED_MS);
  }
}

// What the drawing earns now.
function reached() {
  const { digit, fool } = roundNow();
  const of = Object.keys(latestAnswers).filter((model) => latestAnswers[model].digit !== null);
  const readers = of.filter((model) =>
    latestAnswers[model].accepted && latestAnswers[model].digit === digit
  );
  const part = fool ? Number(readers.length === of.length - 1) : readers.length / (of.length || 1);
  return { points: Math.round(FULL * part), readers, of };
}

function finish() {
  clearTimeout(settling);
  game.results.push({ ...reached(), strokes: sendable(strokes()) });
  game.judged = true;
  showTask();
}

doing.addEventListener("click", () => {
  if (game.judged) return game.results.length < game.rounds.length ? turn() : summarize();
  if (drawing !== null) act(() => {}); // As other buttons do.
  if (!isOwn(strokes())) return write(standing, "Draw it first, or skip it.");
  if (isSettled()) return finish();
  finishing = true;
  ask();
});

skipping.addEventListener("click", () => {
  game.results.push({ points: 0, readers: [], of: [], strokes: [] });
  if (game.results.length < game.rounds.length) return turn();
  game.judged = true;
  showTask();
  summarize();
});

ending.addEventListener("click", () => game.results.length ? summarize() : leave());

function summarize() {
  clearTimeout(settling);
  const heading = document.createElement("h2");
  heading.textContent = `${score()} of ${FULL * game.rounds.length} points`;
  const scores = document.createElement("ul");
  for (const card of [...cards].reverse()) {
    const { model } = card.dataset;
    const asked = game.results.filter(({ of }) => of.includes(model));
    const read = asked.filter(({ readers }) => readers.includes(model));
    const line = document.createElement("li");
    line.textContent = `${titles.get(model)} read ${read.length} of ${asked.length}`;
    scores.append(line);
  }
  const drawings = document.createElement("ol");
  drawings.append(...game.results.map(sketched));
  outcome.firstElementChild.replaceChildren(heading, scores, drawings);
  outcome.returnValue = "";
  outcome.showModal();
}

function sketched({ points, strokes }, i) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 1000 1000");
  picture.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", strokes.map((stroke) => `M${stroke.join(" ")}h0`).join(""));
  picture.append(line);
  const made = document.createElement("li");
  made.append(picture, `${game.rounds[i].digit} · ${strokes.length ? `+${points}` : "skipped"}`);
  return made;
}

function leave() {
  game = null;
  sessionStorage.removeItem(PLAYED);
  location.hash = "";
}

for (const button of outcome.querySelectorAll("button")) {
  button.addEventListener("click", () => outcome.close(button.className));
}
outcome.addEventListener("close", () => outcome.returnValue === "again" ? begin() : leave());
// Escape closes the result, and does not clear the drawing.
outcome.addEventListener("keydown", (event) => event.stopPropagation());

function enterChallenge() {
  const playing = isPlaying();
  arena.hidden = !playing;
  element.classList.toggle("playing", playing);
  allowKeys(playing);
  if (!playing) return;
  if (photographed()) leavePhoto();
  try {
    game ??= JSON.parse(sessionStorage.getItem(PLAYED));
  } catch {
    game = null;
  }
  if (game?.rounds) showTask();
  else begin();
}

addEventListener("hashchange", enterChallenge);
