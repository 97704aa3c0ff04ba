// The customers' phones: polls the sandbox and writes as a customer.

const phones = document.getElementById("phones");
const cards = new Map();

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function say(account, userId, name, text) {
  await fetch("api/say", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ account, user_id: userId, name, text }),
  });
  await refresh();
}

function card(phone) {
  const root = element("article", "", "phone");
  const title = element("h3", phone.name || phone.user_id);
  title.append(element("small", `${phone.provider} · ${phone.account} · ${phone.user_id}`));
  const lines = element("ol", "", "lines");
  const form = document.createElement("form");
  const input = element("input");
  input.setAttribute("aria-label", `Write as ${phone.name || phone.user_id}`);
  input.required = true;
  form.append(input, element("button", "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value;
    input.value = "";
    say(phone.account, phone.user_id, phone.name, text);
  });
  root.append(title, lines, form);
  phones.append(root);
  return { lines, shown: 0 };
}

function show(phone) {
  const key = `${phone.account}\u0000${phone.user_id}`;
  if (!cards.has(key)) cards.set(key, card(phone));
  const entry = cards.get(key);
  for (const line of phone.lines.slice(entry.shown)) {
    const lost = line.from_customer && !(line.status >= 200 && line.status < 300);
    const item = element("li", line.text, [line.from_customer && "own", lost && "lost"].filter(Boolean).join(" "));
    if (lost) item.title = `the ingress answered ${line.status ?? "nothing"}`;
    entry.lines.append(item);
    entry.lines.scrollTop = entry.lines.scrollHeight;
  }
  entry.shown = phone.lines.length;
}

let accounts = "";

async function refresh() {
  const state = await (await fetch("api/state")).json();
  state.phones.forEach(show);
  const names = state.accounts.map((account) => account.name).join();
  if (names !== accounts) {
    accounts = names;
    document.getElementById("account").replaceChildren(
      ...state.accounts.map((account) => {
        const option = element("option", `${account.name} (${account.provider})`);
        option.value = account.name;
        return option;
      }),
    );
  }
  document.getElementById("problems").hidden = state.problems.length === 0;
  document.getElementById("rules").replaceChildren(
    ...state.problems.map((problem) => element("li", `${problem.provider}: ${problem.rule}`)),
  );
}

document.getElementById("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = (id) => document.getElementById(id).value;
  await say(field("account"), field("user"), "", field("text"));
  document.getElementById("text").value = "";
});

async function watch() {
  try {
    await refresh();
  } finally {
    setTimeout(watch, 1000);
  }
}

watch();
