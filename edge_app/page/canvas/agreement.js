// One line that says which models agree, to be read from the last row of a classroom; and beside
// each model's name, how many of its test images it reads right.

const NOT_SURE = "not sure";
const NAMED = 3; // More models with the same answer are only counted.

const agreement = find(".agreement"); // Null with one model.
const accuracies = new Map();

for (const card of cards) {
  if (!props.accuracies[card.dataset.model]) continue;
  const place = document.createElement("small");
  place.className = "accuracy";
  place.append("", document.createElement("span"));
  card.querySelector("h2").append(place);
  accuracies.set(card.dataset.model, place);
}

function agree(answers) {
  for (const [model, place] of accuracies) showAccuracy(place, model, answers[model].variant);
  if (!agreement) return;
  const line = agreed(answers);
  write(agreement, line);
  agreement.style.setProperty("--letters", line.length);
}

function showAccuracy(place, model, variant) {
  const { of, [variant]: part } = props.accuracies[model];
  place.firstChild.data = part === undefined ? "" : `${Math.min(99.9, 100 * part).toFixed(1)}%`;
  write(place.lastChild, part === undefined ? "" : " right");
  place.title = part === undefined ? "" : `Reads ${(100 * part).toFixed(2)}% of ${of} right`;
}

// "All agree: 7", or "MLP and CNN: 7; Simple Dense: 1".
function agreed(answers) {
  const groups = new Map(); // By what they read, the models that do.
  for (const [model, { digit, accepted }] of Object.entries(answers)) {
    if (digit === null) continue;
    const read = accepted ? String(digit) : NOT_SURE;
    groups.set(read, [...groups.get(read) ?? [], props.names[model]]);
  }
  const all = [...groups.values()].flat();
  if (all.length < 2) return "";
  if (groups.size === 1) {
    return groups.has(NOT_SURE) ? "No model is sure" : `All agree: ${[...groups.keys()]}`;
  }
  // The most first; of equals, the more accurate, which come last. Who is not sure is at the end.
  const weight = ([read, models]) => (read === NOT_SURE ? 0 : models.length);
  return [...groups].reverse()
    .sort((one, other) => weight(other) - weight(one))
    .map(([read, models]) => `${inWords(models)}: ${read}`).join("; ");
}

function inWords(names) {
  if (names.length > NAMED) return `${names.length} models`;
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
