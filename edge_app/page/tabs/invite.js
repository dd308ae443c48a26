// The invitation: a QR code that fills the window, for the whole class to open the page with.

const invitation = element.querySelector(".invitation");
const [code, closing] = invitation.children;

async function invite() {
  code.replaceChildren();
  invitation.showModal();
  const sheet = await server.sheet("invite"); // Undefined if it fails.
  const { title, text, picture } = sheet?.sections[0] ?? {};
  code.replaceChildren(
    make("h2", "", title ?? "Can't reach the device"),
    ...(picture ? [drawn(picture, text)] : []),
    make("p", "", text ?? "Close this and try again."),
  );
}

element.querySelector(".invite").addEventListener("click", invite);
closing.addEventListener("click", () => invitation.close());
// A tap on anything but the code.
invitation.addEventListener("click", ({ target }) => target === invitation && invitation.close());
// Escape closes the invitation, and does not clear the drawing.
invitation.addEventListener("keydown", (event) => event.stopPropagation());
