/** Signing in: development users by password. The token stays in this tab. */

const TOKEN = "desk-session";

/** The session kept in this tab, `{token, agent}`, or null. */
export function keptSession() {
  try {
    return JSON.parse(sessionStorage.getItem(TOKEN));
  } catch {
    return null;
  }
}

export function forgetSession() {
  sessionStorage.removeItem(TOKEN);
}

/** Shows the form, with `reason` if the last session ended for one; calls `done` with the session. */
export function askToSignIn(reason, done) {
  const page = document.getElementById("sign-in");
  const form = document.getElementById("sign-in-form");
  const error = document.getElementById("sign-in-error");
  const button = form.querySelector("button");
  const say = (text) => {
    error.hidden = !text;
    error.textContent = text;
  };
  page.hidden = false;
  say(reason);
  for (const field of ["tenant", "login"]) {
    form.elements[field].value ||= new URLSearchParams(location.search).get(field) ?? localStorage.getItem(`desk-${field}`) ?? "";
  }
  [...form.querySelectorAll("input")].find((input) => input.value === "")?.focus();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const credentials = Object.fromEntries(new FormData(form));
    button.disabled = true;
    say("");
    try {
      const session = await signIn(credentials);
      sessionStorage.setItem(TOKEN, JSON.stringify(session));
      for (const field of ["tenant", "login"]) localStorage.setItem(`desk-${field}`, credentials[field]);
      form.elements.password.value = "";
      page.hidden = true;
      done(session);
    } catch (failure) {
      say(failure.message);
      form.elements.password.select();
    } finally {
      button.disabled = false;
    }
  };
}

async function signIn(credentials) {
  let response;
  try {
    response = await fetch(new URL("login", document.baseURI), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(credentials), credentials: "omit",
    });
  } catch {
    throw new Error("The desk cannot be reached. Please try again.");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok && body.token) return body;
  if (response.status === 401 || response.status === 403) throw new Error("Tenant, login or password is not right.");
  if (response.status === 429) throw new Error("Too many tries. Please wait a minute.");
  throw new Error(body.message || body.error?.message || `Signing in failed (${response.status}).`);
}
