// Shows one model alone, with the space of all, or all side by side. All are asked in either case:
// the others' answers are there as soon as they are shown again.

const cards = [...element.querySelectorAll(".answer")];

let alone = null; // The name of the only model shown; null while all are shown.

const shown = (name) => alone === null || alone === name;

// Shows all if there is no such model, or no other.
function showAlone(name) {
  alone = cards.length > 1 && titles.has(name) ? name : null;
  for (const card of cards) {
    const { model } = card.dataset;
    card.hidden = !shown(model);
    card.classList.toggle("alone", model === alone);
    card.querySelector(".one")?.setAttribute("aria-pressed", model === alone);
  }
}

for (const card of cards) {
  const one = card.querySelector(".one");
  const change = () => {
    showAlone(alone === null ? card.dataset.model : null);
    card.scrollIntoView({ block: "nearest" });
    one.focus({ preventScroll: true }); // The button "All models" has just disappeared.
    keep();
    announce();
    if (!shown(why?.model)) closeWhy();
  };
  for (const button of card.querySelectorAll(".one, .all")) {
    button.addEventListener("click", change);
  }
}
