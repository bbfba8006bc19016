// Questions about one picture: a dialogue, whose answers come word by word.
import { h, icon, replace, toast, announce } from "./dom.js";
import * as i18n from "./i18n.js";
import * as api from "./api.js";
import { reason } from "./messages.js";

const { t } = i18n;
const longestTag = 100;
const mostTurns = 32; // of a dialogue that the server reads
const dialogues = new Map(); // by record: what was asked and answered while the page is open
let model = null; // a promise of the server's answering model

// answering is what the server says of its answering model; null where there is none.
export function answering() {
  model ??= api.status().then((status) => status.answers || null, () => {
    model = null; // ask again at the next picture
    return null;
  });
  return model;
}

// showAsk fills place with the panel for a record, where the server can answer. {id, mayTag, onTagged, shown}
export async function showAsk(place, { id, mayTag, onTagged, shown }) {
  replace(place);
  const answers = await answering();
  if (!answers || !shown()) return;
  const turns = dialogues.get(id) || [];
  dialogues.set(id, turns);
  const log = h("ol.turns", { "aria-label": t("dialogue") });
  const input = h("input.field", { type: "text", maxlength: "500", "aria-label": t("ask_label"), placeholder: t("ask_placeholder"), autocomplete: "off" });
  const submit = h("button.button", { type: "submit" }, t("ask"));
  const stop = h("button.button", { type: "button", hidden: true, onclick: () => controller?.abort() }, t("stop"));
  const fresh = h("button.button.plain", { type: "button", hidden: !turns.length, onclick: restart }, t("new_dialogue"));
  let controller = null;

  const tagButton = (turn) => mayTag && turn.answer && turn.answer.length <= longestTag && h("button.button.plain.icon", {
    type: "button", "aria-label": t("tag_answer", { answer: turn.answer }), title: t("tag_answer", { answer: turn.answer }),
    onclick: () => api.tag(id, turn.answer).then(() => onTagged(turn.answer), (error) => toast(reason(error))),
  }, icon("tag"));

  function draw(turn) {
    const percent = turn.probability === undefined ? "" : i18n.percent(turn.probability);
    const item = h("li.turn", {}, h("p.question", {}, turn.question),
      h("p.answer", {}, h("span", {}, turn.answer || (turn.failed ? "" : "…")), percent && h("small.note", { title: t("answer_probability") }, percent), turn.done && tagButton(turn)),
      turn.failed && h("p.alert", {}, turn.failed), turn.cut && h("p.note", {}, t("answer_cut")));
    if (turn.item?.isConnected) turn.item.replaceWith(item);
    else log.append(item);
    turn.item = item;
  }

  function busy(on) {
    submit.hidden = on;
    stop.hidden = !on;
    fresh.hidden = on || !turns.length;
    log.setAttribute("aria-busy", String(on));
  }

  async function ask(question) {
    if (controller) return;
    controller = new AbortController();
    const history = turns.filter((turn) => turn.done && turn.answer).map((turn) => ({ question: turn.question, answer: turn.answer })).slice(-mostTurns);
    const turn = { question, answer: "" };
    turns.push(turn);
    busy(true);
    draw(turn);
    try {
      await api.chat({ record: id, question, history }, controller.signal, (piece) => {
        turn.answer += piece;
        turn.item.querySelector(".answer span").textContent = turn.answer;
      }, (answer) => Object.assign(turn, { answer: answer.answer, probability: answer.answer_probability, cut: !answer.ended, done: true }));
      announce(`${question} ${turn.answer}`);
    } catch (error) {
      if (error.name === "AbortError") turn.cut = true;
      else turn.failed = reason(error);
    }
    controller = null;
    if (turns.includes(turn)) draw(turn);
    busy(false);
  }

  function restart() {
    turns.length = 0;
    replace(log);
    fresh.hidden = true;
    input.focus();
  }

  const suggestions = h("div.chips", { role: "group", "aria-label": t("suggested_questions") }, (answers.questions || []).map((question) => h("button.chip", { type: "button", lang: "en", onclick: () => ask(question) }, question)));
  replace(place, h("section.ask", { "aria-labelledby": "ask-title" }, h("h3", { id: "ask-title" }, t("ask_title")), log, suggestions,
    h("form.row.tight", { onsubmit: (event) => {
      event.preventDefault();
      const question = input.value.trim();
      if (!question || controller) return;
      input.value = "";
      ask(question);
    } }, input, submit, stop), fresh));
  for (const turn of turns) draw(turn);
}
