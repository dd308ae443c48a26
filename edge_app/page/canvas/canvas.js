// Starts the canvas component. Gradio runs these files once, as one script in the order given in
// component.py, with `element` (the component's root), `props` and `server` (its Python functions)
// in scope.

for (const radio of variants) radio.addEventListener("change", () => (keep(), ask()));

restore();
changed();
enterChallenge();
