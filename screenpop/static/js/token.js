// A token that was just made: one keystroke copies it.

const secret = document.getElementById("secret");
if (secret instanceof HTMLInputElement) {
  secret.addEventListener("focus", () => secret.select());
  secret.focus();
}
