// Photos: digits on paper, from the camera or a file, dropped or pasted. The photo lies on the
// canvas until somebody draws again; a tap on a digit's box shows the answers to it.
//
// `server.photo({image, variant})` returns
//   {digits: [{box: [left, top, width, height] in parts of the photo, answers, views}]}, in reading
//   order, the rest as in connection.js,   or   {error: sentence}.

const PHOTO_SIDES = [1024, 800, 640, 480, 320]; // Tried in this order until the photo is small enough.
const PHOTO_QUALITIES = [0.85, 0.7, 0.55, 0.4];
const PHOTO_MOST = 48_000; // Bytes; in base64, with the rest of the request, that is 64 KiB.

const photo = find(".photo");
const photoImage = photo.querySelector("img");
const photoBoxes = photo.querySelector(".boxes");
const photoNews = photo.querySelector("p");
const photoInput = find('[data-testid="photo"]');

let photoUrl = null; // What was sent; null while there is no photo.
let photoDigits = [];
let photoAt = 0; // The digit whose answers are shown.
let photoTurn = 0; // Counts what was asked for: answers to what came before do not count.

const photographed = () => !photo.hidden;

async function usePhoto(file) {
  if (isPlaying()) return; // A challenge is drawn.
  const turn = ++photoTurn;
  stopReplay();
  closeWhy();
  drawing = null;
  photo.hidden = false;
  photoUrl = null;
  photoImage.hidden = true;
  photoAt = 0;
  showDigits([], "Reading the photo…");
  photo.querySelector("button").focus({ preventScroll: true });
  const url = await shrunk(file).catch(() => null);
  if (turn !== photoTurn) return;
  if (url === null) return write(photoNews, "This browser can't open that file as a picture.");
  photoUrl = photoImage.src = url;
  photoImage.hidden = false;
  await readPhoto();
}

async function readPhoto() {
  const turn = ++photoTurn;
  const request = server.photo({ image: photoUrl, variant: chosen() });
  const reply = await Promise.race([request, passed(LOST_MS)]).catch(() => undefined);
  if (turn !== photoTurn) return;
  const digits = reply?.digits ?? [];
  if (!digits.every(fits)) return reload(); // The app now serves other models.
  showDigits(digits, reply?.error ?? (reply ? photoSummary(digits.length) : PHOTO_LOST));
}

const PHOTO_LOST = "Can't reach the device. Choose the photo again.";

function photoSummary(count) {
  if (count === 0) return "No digits found. Write on paper, large and dark.";
  return count === 1 ? "One digit found" : `${count} digits found. Tap one.`;
}

// As a data URL; null if it stays too large.
async function shrunk(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  for (const side of PHOTO_SIDES) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(scale * bitmap.width));
    canvas.height = Math.max(1, Math.round(scale * bitmap.height));
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.fillStyle = "#fff"; // Under what is transparent.
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    for (const quality of PHOTO_QUALITIES) {
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob !== null && blob.size <= PHOTO_MOST) return dataUrl(blob);
    }
  }
  return null;
}

const dataUrl = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = reject;
    reader.readAsDataURL(blob);
  });

function showDigits(digits, news) {
  photoDigits = digits;
  photoBoxes.replaceChildren(...digits.map(digitBox));
  write(photoNews, news);
  trouble = "";
  report();
  answersPlace.classList.remove("stale");
  if (digits.length) showDigit(Math.min(photoAt, digits.length - 1));
  else show(blankAnswers());
}

function digitBox({ box, answers }, number) {
  const button = document.createElement("button");
  button.type = "button";
  ["left", "top", "width", "height"].forEach((side, i) => {
    button.style[side] = `${100 * box[i]}%`;
  });
  const all = Object.values(answers).map(({ digit, accepted }) => accepted ? String(digit) : "?");
  const label = document.createElement("span");
  label.textContent = [...new Set(all)].join(" ");
  button.append(label);
  button.ariaLabel = `Digit ${number + 1} of ${photoDigits.length}: ${label.textContent}`;
  button.classList.toggle("high", box[1] < 0.12);
  button.addEventListener("click", () => showDigit(number));
  return button;
}

function showDigit(number) {
  photoAt = number;
  [...photoBoxes.children].forEach((box, i) => box.ariaPressed = String(i === number));
  show(photoDigits[number]);
}

function blankAnswers() {
  const answers = Object.fromEntries(
    Object.entries(latest).map(([name, { variant }]) => [name, {
      digit: null,
      accepted: false,
      probabilities: Array(10).fill(0),
      variant,
      latency_us: 0,
      drift: null,
      float32_digit: null,
      digit_like: true,
    }]),
  );
  const nothing = btoa("\0".repeat(28 * 28));
  const views = previews.map((preview) => [preview.dataset.normalization, nothing]);
  return { answers, views: Object.fromEntries(views) };
}

function leavePhoto() {
  photoTurn++;
  photo.hidden = true;
  photoUrl = null;
  photoImage.removeAttribute("src");
  photoBoxes.replaceChildren();
  write(photoNews, "");
  ask();
}

photo.querySelector("button").addEventListener("click", () => {
  leavePhoto();
  photoInput.focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && photo.checkVisibility()) leavePhoto();
});

photoInput.addEventListener("change", () => {
  const [file] = photoInput.files;
  if (file) usePhoto(file);
  photoInput.value = ""; // The same file can be chosen again.
});

drawThrough(find(".camera"));

const isOpen = () => find(".board").checkVisibility();
const holdsFiles = (event) => isOpen() && event.dataTransfer?.types.includes("Files");

document.addEventListener("paste", (event) => {
  const [file] = event.clipboardData?.files ?? [];
  if (!file || !isOpen()) return;
  event.preventDefault();
  usePhoto(file);
});

// Also beside the canvas, where the browser would otherwise open the file in the page's place.
document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  find(".paper").classList.add("dropping");
});

for (const name of ["dragleave", "dragend", "drop"]) {
  document.addEventListener(name, () => find(".paper").classList.remove("dropping"));
}

document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) usePhoto(file);
});
