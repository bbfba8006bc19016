// Starts the page: signs in if need be, then shows the view that the address names.
import { h, replace, toast } from "./dom.js";
import * as i18n from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { applyTheme, masthead } from "./masthead.js";
import { resultsView } from "./results.js";
import { lookupView, lookupImage } from "./lookup.js";
import { libraryView, duplicatesView } from "./library.js";
import { searchByImage } from "./searchbox.js";
import { problemMessage } from "./messages.js";

const { t } = i18n;
const views = { search: resultsView, lookup: lookupView, library: libraryView, duplicates: duplicatesView };
const frame = h("div.frame", {});
const main = h("main.view", { id: "results", tabindex: "-1" });
let head = null;
let view = null;
let session = null;

function build() {
  document.documentElement.lang = i18n.current();
  document.documentElement.dataset.scopes = session?.read_only ? "read" : (session?.scopes || []).join(" ");
  document.body.dataset.drop = t("drop");
  const onSignOut = session?.authentication === "token" && (session.scopes || []).length ? signOut : null;
  head = masthead({ onLanguage: build, onSignOut });
  replace(frame, h("a.skip-link", { href: "#results" }, t("skip")), head.element, main);
  show();
}

function show() {
  view?.destroy();
  view = views[state.get().view]();
  main.dataset.view = state.get().view;
  replace(main, view.element);
  setTitle();
}

function setTitle() {
  const title = view?.title();
  document.title = title ? `${title} · Mekiki` : "Mekiki";
}

state.subscribe((now, before) => {
  head?.update();
  if (now.view !== before.view) show();
  else setTitle();
});

async function signOut() {
  await api.signOut();
  start();
}

function askForToken() {
  const input = h("input.field", { type: "password", autocomplete: "current-password", id: "token", required: true });
  const wrong = h("p.alert", { hidden: true, role: "alert" }, t("token_wrong"));
  replace(frame, h("form.panel.stack.sign-in", { onsubmit: async (event) => {
    event.preventDefault();
    try {
      session = await api.signIn(input.value.trim());
      start();
    } catch {
      wrong.hidden = false;
    }
  } }, h("h1", {}, t("token_title")), h("label.label", {}, t("token_label"), h("small", {}, t("token_text")), input), wrong, h("button.button.primary", { type: "submit" }, t("sign_in"))));
  input.focus();
}

async function start() {
  try {
    session = await api.session();
  } catch (error) {
    if (error.status === 401) return askForToken();
    return replace(frame, problemMessage(error, start));
  }
  if (!(session.scopes || []).length) return askForToken();
  return build();
}

// An image that is dropped or pasted anywhere becomes the query, or what is looked up. What the browser does not know,
// as it may not know HEIC, the server has to say.
function take(file) {
  if (!file) return false;
  if (file.type && !file.type.startsWith("image/")) {
    toast(t("not_image", { name: file.name }));
    return true;
  }
  if (state.get().view === "lookup") lookupImage(file);
  else searchByImage(file);
  return true;
}

const hasFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
addEventListener("dragover", (event) => {
  if (!hasFile(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!hasFile(event)) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  if (take([...(event.clipboardData?.files || [])][0])) event.preventDefault();
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  document.getElementById("query")?.focus();
});

applyTheme();
document.body.append(frame, h("div.visually-hidden", { id: "live", "aria-live": "polite" }), h("div.toasts", { id: "toasts", role: "status" }));
start();
