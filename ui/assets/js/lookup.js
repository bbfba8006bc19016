// Lookup: a picture in, the words that describe it out.
import { h, replace, announce } from "./dom.js";
import { t, percent } from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { problemMessage } from "./messages.js";
import { openRegion } from "./detail.js";

const labelsKey = "mekiki-labels";

export function lookupView() {
  let controller = null;
  const answer = h("div", {});
  const zone = h("div.dropzone", {});
  const labels = h("textarea.field", { id: "labels", value: sessionStorage.getItem(labelsKey) || "" });
  const picker = h("input.visually-hidden", { type: "file", accept: "image/*", id: "lookup-file", "aria-label": t("choose_file"), tabindex: "-1", onchange: () => picker.files[0] && lookupImage(picker.files[0]) });
  const element = h("div.columns", {},
    h("div.stack", {}, h("h1", {}, t("lookup_title")), h("p.note", {}, t("lookup_text")), zone, picker,
      h("label.label", {}, t("own_labels"), h("small", {}, t("own_labels_note")), labels),
      h("button.button.primary", { type: "button", id: "run-lookup", onclick: run }, t("run_lookup"))),
    h("div", { id: "lookup-answer" }, answer));

  function showImage() {
    const now = state.get();
    const source = state.image()?.url || (now.record && api.thumbnail(now.record));
    const region = () => openRegion({ source: state.image()?.url || api.original(now.record), fallback: source, crop: state.crop(now), onSearch: (crop) => state.go({ crop }) });
    replace(zone, source && h("img", { src: source, alt: "" }),
      h("div.row", {}, h("button.button", { type: "button", onclick: () => picker.click() }, t("choose_file")), source && h("button.button", { type: "button", onclick: region }, t("select_region"))),
      !source && h("p", {}, t("or_drop")));
  }

  async function run() {
    const now = state.get();
    sessionStorage.setItem(labelsKey, labels.value);
    if (!now.record && !state.image()) return replace(answer, h("div.message", {}, h("h2", {}, t("lookup_empty")), h("p", {}, t("lookup_empty_text"))));
    controller?.abort();
    controller = new AbortController();
    const { signal } = controller;
    replace(answer, h("div.message", {}, h("span.spinner", { role: "status", "aria-label": t("loading") })));
    const value = { limit: 30 };
    if (now.record) value.record = now.record;
    if (state.crop(now)) value.crop = state.crop(now);
    const own = labels.value.split("\n").map((line) => line.trim()).filter(Boolean);
    try {
      const result = own.length ? await api.labels({ ...value, labels: own, limit: own.length }, state.image()?.file, signal) : await api.lookup(value, state.image()?.file, signal);
      if (!signal.aborted) showTexts(result);
    } catch (error) {
      if (!signal.aborted) replace(answer, problemMessage(error, run));
    }
    return undefined;
  }

  function showTexts(result) {
    if (!result.texts.length) {
      announce(t("no_texts"));
      return replace(answer, h("div.message", {}, h("h2", {}, t("no_texts"))));
    }
    announce(result.texts[0].text);
    return replace(answer, h("ol.texts", {}, result.texts.map(textRow)));
  }

  const unsubscribe = state.subscribe((now, before) => {
    if (now.view !== "lookup") return;
    if (now.record !== before.record || now.image !== before.image || now.crop !== before.crop || now.image) {
      showImage();
      run();
    }
  });
  showImage();
  run();
  return { element, title: () => t("lookup"), destroy: () => {
    unsubscribe();
    controller?.abort();
  } };
}

export function lookupImage(file) {
  state.go({ ...state.blank, view: "lookup", image: state.setImage(file) });
}

function textRow(text) {
  const share = text.share ?? text.probability;
  const filled = h("span", {});
  filled.style.width = `${Math.round(100 * share)}%`;
  const words = text.source === "label" ? text.text : h("a", { href: state.href({ q: text.text }) }, text.text);
  return h("li", {}, h("div.line", {}, words, h("small", {}, t(`source_${text.source}`), h(`span.badge.${text.verdict}`, {}, percent(share)))), h(`div.meter.${text.verdict}`, {}, filled));
}
