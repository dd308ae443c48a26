// The canvas component. Gradio runs this once, with `element` (the component's root), `props` and
// `server` (its Python functions) in scope. The files beside this one stand before it, in the order
// that __init__.py gives: one script, one scope.

for (const radio of variants) radio.addEventListener("change", () => (keep(), ask()));

restore();
changed();
