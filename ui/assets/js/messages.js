// What the page says when something goes wrong.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { Problem } from "./api.js";
import * as state from "./state.js";

export function problemMessage(error, retry) {
  const offline = !(error instanceof Problem);
  const position = error.body?.position;
  return h("div.message", { role: "alert" },
    h("h2", {}, offline ? t("offline") : title(error)),
    h("p", {}, offline ? t("offline_text") : sentence(error.message)),
    position && state.get().q && h("p", {}, h("code", {}, pointed(state.get().q, position))),
    !offline && error.body?.hint && h("p", {}, sentence(error.body.hint)),
    (offline || passing(error.status)) && h("button.button", { type: "button", onclick: retry }, t("retry")));
}

// reason is a problem in one line.
export const reason = (error) => (error instanceof Problem ? sentence(error.message) : t("offline"));

// title is the kind of problem in the reader's language, or as the server says it.
function title(error) {
  const key = `problem_${error.code}`;
  const known = t(key);
  return known === key ? error.title || t("error") : known;
}

// sentence begins with a capital, unless with the name of something.
const sentence = (text) => text.replace(/^[a-z](?=[a-z]*[ ,])/, (letter) => letter.toUpperCase());

// passing tells whether the same request may go well later.
const passing = (status) => status === 408 || status === 429 || status >= 500;

// pointed marks where in the query the problem lies.
function pointed(query, { offset, length }) {
  const points = [...query];
  return [points.slice(0, offset).join(""), h("mark", {}, points.slice(offset, offset + Math.max(1, length)).join("") || "⟵"), points.slice(offset + Math.max(1, length)).join("")];
}
