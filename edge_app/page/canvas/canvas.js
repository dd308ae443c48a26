// Starts the canvas component. Gradio runs these files once, as one script in the order given in
// component.py, with `element` (the component's root), `props` and `server` (its Python functions)
// in scope.

for (const radio of variants) {
  radio.addEventListener("change", () => {
    keep();
    if (photoUrl !== null) readPhoto();
    else ask();
  });
}

restore();
changed();
enterChallenge();
