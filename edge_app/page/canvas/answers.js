// Shows what the models answer and what they see.

const CALM_MS = 800; // Answers are announced once they have stayed the same for so long.
const TIMES = 9; // The time shown is the median of so many.
const CARDLESS = "tflite"; // The only variant of a file without a card.

const times = new Map(); // By model and variant, the microseconds of the latest inferences.
const answersPlace = find(".answers");
const announcement = find('[data-testid="announcement"]');
const previews = [...element.querySelectorAll("[data-normalization]")];

for (const list of element.querySelectorAll(".bars")) {
  for (let digit = 0; digit < 10; digit++) {
    const bar = document.createElement("span");
    bar.append(document.createElement("i"), String(digit));
    list.append(bar);
  }
}

const titles = new Map(Object.entries(props.titles));
const sizes = new Map(Object.entries(props.sizes));

// Whether these answers come from exactly the models that the page shows.
const fits = ({ answers, views }) =>
  same(Object.keys(answers), [...titles.keys()]) &&
  same(Object.keys(views), previews.map((preview) => preview.dataset.normalization)) &&
  Object.entries(answers).every(([name, { variant }]) => variant in sizes.get(name));

const same = (some, others) =>
  some.length === others.length && some.every((each) => others.includes(each));

function show({ answers, views }) {
  for (const section of element.querySelectorAll(".answer")) {
    showAnswer(section, answers[section.dataset.model]);
  }
  for (const preview of previews) {
    showView(preview, views[preview.dataset.normalization]);
  }
  latest = answers;
  announce();
  agree(answers);
  judge(answers);
}

function showAnswer(section, answer) {
  const { digit, accepted, probabilities, variant } = answer;
  const blank = digit === null;
  const sure = !blank && accepted;
  const place = (selector) => section.querySelector(selector);
  write(place(".digit"), blank ? "" : sure ? String(digit) : "?");
  write(place(".confidence"), sure ? percent(probabilities[digit]) : "");
  write(place(".doubt"), blank || sure ? "" : doubt(answer));
  offerWhy(place(".why"), !blank && answer.digit_like && !photographed());
  write(place(".drift"), drifted(section.dataset.model, answer));
  place(".drift").classList.toggle("flips", flips(answer));
  write(place(".latency"), blank ? "" : `${typical(section.dataset.model, answer).toFixed(0)} µs`);
  write(place(".size"), bytes(sizes.get(section.dataset.model)[variant]));
  section.querySelectorAll(".bars span").forEach((bar, of) => {
    bar.classList.toggle("best", sure && of === digit);
    bar.firstChild.style.setProperty("--probability", probabilities[of]);
    mark(bar, "title", `${of}: ${percent(probabilities[of])}`);
    mark(bar, "data-percent", blank ? "" : percent(probabilities[of]));
  });
  const all = probabilities.map((each, of) => `${of}: ${percent(each)}`).join(", ");
  mark(place(".bars"), "aria-label", blank ? "No probabilities yet" : `Probabilities: ${all}`);
}

// The median time of the model's latest inferences in this variant: one alone can be disturbed.
function typical(model, { variant, latency_us }) {
  const name = `${model} ${variant}`;
  const last = [...(times.get(name) ?? []), latency_us].slice(-TIMES);
  times.set(name, last);
  return [...last].sort((one, other) => one - other)[(last.length - 1) >> 1];
}

function showView(preview, content) {
  const ink = atob(content);
  const image = new ImageData(28, 28);
  for (let i = 0; i < ink.length; i++) {
    image.data.fill(ink.charCodeAt(i), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  preview.getContext("2d").putImageData(image, 0, 0);
}

// Read aloud as they come, the answers during a stroke would interrupt each other.
let calm = null;
let latest = {};

function announce() {
  clearTimeout(calm);
  calm = setTimeout(() => {
    const sentences = Object.entries(latest)
      .filter(([name, { digit }]) => digit !== null && shown(name))
      .map(([name, answer]) => `${titles.get(name)}: ${sentence(name, answer)}.`);
    write(announcement, sentences.join(" "));
  }, CALM_MS);
}

function sentence(model, answer) {
  const { digit, accepted, probabilities } = answer;
  const read = accepted
    ? `${digit}, ${percent(probabilities[digit])}`
    : doubt(answer).replace(/^./, (letter) => letter.toLowerCase());
  return flips(answer) ? `${read}; ${drifted(model, answer)}` : read;
}

// Unchanged text is not written again: a screen reader would repeat it.
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function mark(place, attribute, text) {
  if (place.getAttribute(attribute) !== text) place.setAttribute(attribute, text);
}

// What quantization changed for this drawing

const flips = ({ digit, float32_digit, digit_like }) =>
  digit_like && float32_digit !== null && float32_digit !== digit;

function drifted(model, answer) {
  const { variant, digit, drift, float32_digit, digit_like } = answer;
  if (digit === null || !digit_like) return ""; // It does not matter which digit it is not.
  const lacks = !(chosen() in sizes.get(model)) && variant !== CARDLESS;
  if (lacks) return `no ${chosen()}, so ${variant === "float32" ? "full precision" : variant}`;
  if (drift === null) return "";
  if (variant === "float32") return "full precision";
  if (flips(answer)) return `full precision reads ${float32_digit}`;
  if (drift === 0) return "same as full precision";
  const points = 100 * drift;
  return `${points < 0.1 ? "< 0.1" : points.toFixed(1)} points from full precision`;
}

// In words

const withArticle = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

// Why an answer is not accepted.
function doubt({ digit, digit_like, probabilities }) {
  if (!digit_like) return `Doesn't look like a digit to me; closest: ${digit}`;
  // Sorting is stable: of equals, the lower digit comes first.
  const [first, second] = [...probabilities.keys()]
    .sort((one, other) => probabilities[other] - probabilities[one]);
  return `Not sure: ${first} or ${second}`;
}

function percent(probability) {
  // Never rounded up to 100%: no model is certain.
  return probability > 0.999 ? "> 99.9%" : `${(100 * probability).toFixed(1)}%`;
}

function bytes(number) {
  if (number >= 1e6) return `${(number / 1e6).toFixed(1)} MB`;
  return `${(number / 1e3).toFixed(number < 1e5 ? 1 : 0)} kB`;
}
