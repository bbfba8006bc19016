// Questions to the hits: a field for one, and the answers, counted, each of which can filter.
import { h, replace } from "./dom.js";
import { t, number } from "./i18n.js";
import { answering } from "./ask.js";
import * as state from "./state.js";

// clause matches a question of the query language, with its answer if it has one.
const clause = /\s*\bask:"([^"]*)"(?:!?=(?:"[^"]*"|[^\s"]+))?/g;

const without = (text, question) => text.replace(clause, (whole, asked) => (asked === question ? "" : whole)).trim();
const having = (text, question, answer) => `${without(text, question)} ask:"${question}"${answer === undefined ? "" : `="${answer}"`}`.trim();

export function askedBar() {
  const answers = h("div.stack", {});
  const input = h("input.field", { type: "text", maxlength: "300", "aria-label": t("ask_hits"), placeholder: t("ask_hits_placeholder"), autocomplete: "off" });
  const form = h("form.row.tight", { onsubmit: (event) => {
    event.preventDefault();
    const question = input.value.replaceAll('"', " ").trim();
    if (!question) return;
    input.value = "";
    go(having(state.get().q, question));
  } }, input, h("button.button", { type: "submit" }, t("ask")));
  const element = h("section.asked", { hidden: true, "aria-label": t("ask_hits") }, answers, form);
  const go = (q) => state.go({ q, open: "" });
  let shown = "";

  // show is told an answer of the server, or null where one is still to come.
  async function show(result) {
    if (!(await answering())) return;
    element.hidden = false;
    const asked = result?.asked || [];
    const coming = (state.get().q.match(clause) || []).length > 0 && !asked.length;
    const next = JSON.stringify(asked);
    if (coming || next === shown) return; // what stands there keeps the focus
    shown = next;
    const { key } = answers.contains(document.activeElement) ? document.activeElement.dataset : {};
    replace(answers, asked.map((one) => h("div.chips", { role: "group", "aria-label": t("answers_of", { question: one.question }) },
      h("span.question", { lang: "en" }, one.question),
      one.answers.map(({ value, count }) => {
        const on = one.condition === `=${value}`;
        return h(`button.chip${on ? ".on" : ""}`, { type: "button", "data-key": `${one.question}=${value}`, "aria-pressed": String(on), onclick: () => go(having(state.get().q, one.question, on ? undefined : value)) }, value || "–", h("span.count", {}, number(count)));
      }),
      one.unasked > 0 && h("span.note", {}, t("unasked", { count: one.unasked })),
      one.failed > 0 && h("span.note", {}, t("unread", { count: one.failed })),
      h("button.button.plain.cross", { type: "button", "data-key": "remove", "aria-label": `${t("stop_asking")}: ${one.question}`, onclick: () => go(without(state.get().q, one.question)) }, "×"))));
    if (key) ([...answers.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key) || input).focus();
  }

  return { element, show, hide: () => { element.hidden = true; } };
}
