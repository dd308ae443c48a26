// The choice of a variant; the page has none if there is only one.

const find = (selector) => element.querySelector(selector);
const variants = [...element.querySelectorAll('[name="variant"]')];

const chosen = () => variants.find((radio) => radio.checked)?.value ?? props.variants[0].name;

function choose(variant) {
  for (const radio of variants) {
    if (radio.value === variant) radio.checked = true;
  }
}
