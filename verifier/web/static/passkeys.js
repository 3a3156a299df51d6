// Signing in with a passkey, and making one. Without this script, or without passkeys, the forms work as they are.
"use strict";

(() => {
  const token = () => document.querySelector('input[name="csrf_token"]').value;

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": token() },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error("refused");
    return answer.json();
  }

  async function signIn(button) {
    const { ticket, options } = await post("/sign-in/passkey/options", {});
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey });
    return post("/sign-in/passkey", { ticket, credential: credential.toJSON(), next: button.dataset.next });
  }

  async function add() {
    const label = document.getElementById("passkey-label").value || "passkey";
    const { ticket, options } = await post("/account/passkeys/options", {});
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    const credential = await navigator.credentials.create({ publicKey });
    return post("/account/passkeys", { ticket, label, credential: credential.toJSON() });
  }

  function offer(id, act) {
    const button = document.getElementById(id);
    if (!button || !window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) return;
    const problem = document.getElementById(`${id}-problem`);
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem.hidden = true;
      try {
        window.location.assign((await act(button)).next);
      } catch {
        problem.hidden = false;
        button.disabled = false;
      }
    });
  }

  offer("passkey-sign-in", signIn);
  offer("passkey-add", add);
})();
