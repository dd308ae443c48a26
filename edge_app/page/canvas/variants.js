// The switch between variants; there is none where there is nothing to choose.

const find = (selector) => element.querySelector(selector);
const variants = [...element.querySelectorAll('[name="variant"]')];

const chosen = () => variants.find((radio) => radio.checked)?.value ?? props.variants[0].name;

function choose(variant) {
  for (const radio of variants) {
    if (radio.value === variant) radio.checked = true;
  }
}
