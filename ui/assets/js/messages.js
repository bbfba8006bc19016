// What the page says when something goes wrong.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { Problem } from "./api.js";

export function problemMessage(error, retry) {
  const offline = !(error instanceof Problem);
  const position = error.body?.position;
  return h("div.message", { role: "alert" },
    h("h2", {}, offline ? t("offline") : error.title || t("error")),
    h("p", {}, offline ? t("offline_text") : error.message),
    position && error.body.query && h("p", {}, h("code", {}, pointed(error.body.query, position))),
    !offline && error.body?.hint && h("p", {}, error.body.hint),
    h("button.button", { type: "button", onclick: retry }, t("retry")));
}

// pointed marks where in the query the problem lies.
function pointed(query, { offset, length }) {
  const points = [...query];
  return [points.slice(0, offset).join(""), h("mark", {}, points.slice(offset, offset + Math.max(1, length)).join("") || "⟵"), points.slice(offset + Math.max(1, length)).join("")];
}
