// One model alone, in the room of all, or all of them side by side. All are asked either way: what
// the others read is there as soon as they are back.

const cards = [...element.querySelectorAll(".answer")];

let alone = null; // The name of the model that is shown alone; null while all are shown.

const shown = (name) => alone === null || alone === name;

// Of a model that is not there any more, nothing is shown alone.
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
    one.focus({ preventScroll: true }); // The way back is gone once it was taken.
    keep();
    announce();
  };
  for (const button of card.querySelectorAll("button")) button.addEventListener("click", change);
}
