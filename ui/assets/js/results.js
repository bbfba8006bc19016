// The search page: the first answer at once, then the order that matching gives.
import { h, announce, replace } from "./dom.js";
import { t, number, percent } from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { Grid } from "./grid.js";
import { filterBar } from "./filters.js";
import { filters } from "./filtertable.js";
import { askedBar } from "./asked.js";
import { openDetail, closeDetail } from "./detail.js";
import { problemMessage } from "./messages.js";

const page = 60;
const further = 200; // of a list, once somebody scrolls: as many as the server gives
const watched = ["q", "record", "crop", "image", ...filters.map((each) => each.key), "sort", "show", "view"];

export function resultsView() {
  const summary = h("div.summary", { id: "summary" });
  const warnings = h("div.warnings", { hidden: true });
  const asked = askedBar();
  const place = h("div", {});
  const bar = filterBar();
  const sort = select("sort", ["relevance", "date_descending", "date_ascending"]);
  const show = select("show", ["weak", "strong", "all"]);
  const grid = new Grid({ label: t("search"), onOpen: (index) => state.go({ open: items[index].id }), onMore: more });
  const after = h("div.message.after", { hidden: true });
  const heading = h("h1.visually-hidden", {}, t("search"));
  const element = h("div", {}, heading, h("div.toolbar", {}, bar.element, h("span.spacer"), summary, sort, show), warnings, asked.element, place, after);

  let items = [];
  let answer = null;
  let controller = null;
  let loadingMore = false;
  let known = {}; // the identities of items, to take none twice

  function requestFor(now) {
    const value = { limit: page, filter: { ...state.filter(now), kinds: ["image"] }, explain: true };
    if (now.q) value.text = now.q;
    if (now.record) value.record = now.record;
    if (state.crop(now)) value.crop = state.crop(now);
    if (now.sort) value.sort = now.sort;
    if (now.show) value.show = now.show;
    return value;
  }

  async function run() {
    controller?.abort();
    controller = new AbortController();
    const { signal } = controller;
    const now = state.get();
    loadingMore = false;
    replace(summary);
    delete summary.dataset.stage;
    warnings.hidden = true;
    after.hidden = true;
    asked.hide();
    const browsing = !now.q && !now.record && !now.image;
    heading.hidden = browsing && !state.filterCount(now); // The welcome has one of its own.
    show.hidden = browsing;
    sort.firstChild.hidden = browsing;
    sort.value = now.sort || (browsing ? "date_descending" : "relevance");
    if (now.image && !state.image()) return message(h("h2", {}, t("image_gone")), h("p", {}, t("image_gone_text")));
    if (browsing) return browse(signal);
    asked.show(null);
    replace(summary, h("span.spinner", { role: "status", "aria-label": t("loading") }));
    try {
      let first = true;
      await api.searchStream(requestFor(now), state.image()?.file, signal, (result) => {
        if (signal.aborted) return;
        receive(result, !first);
        first = false;
      });
    } catch (error) {
      if (signal.aborted) return;
      replace(summary);
      replace(place, problemMessage(error, run));
    }
  }

  function receive(result, animate) {
    answer = result;
    items = result.hits.map(toItem);
    showSummary(result);
    warnings.hidden = !(result.warnings || []).length;
    replace(warnings, (result.warnings || []).join(" "));
    asked.show(result);
    if (!items.length && settled(result)) return message(...nothing(result));
    if (!items.length) return undefined;
    if (place.firstChild !== grid.element) replace(place, grid.element);
    grid.set(items, { animate });
    showAfter();
    syncDetail();
    return undefined;
  }

  // showAfter says, below the last hit, what was left out, and offers it.
  function showAfter() {
    const level = state.get().show;
    after.hidden = !answer || answer.browse || !settled(answer) || answer.next !== undefined || !answer.hidden || level === "all" || !items.length;
    if (after.hidden) return;
    const strong = level === "strong";
    replace(after, h("p", {}, t(strong ? "after_strong" : "after_weak", { count: answer.hidden, hidden: number(answer.hidden) })),
      h("button.button", { type: "button", onclick: () => state.go({ show: strong ? "" : "all", open: "" }) }, t(strong ? "show_weak_too" : "show_anyway")));
  }

  function showSummary(result) {
    const done = settled(result);
    const count = t("results", { count: number(result.total), more: result.total_is_lower_bound });
    replace(summary, !done && h("span.spinner"), h("span", {}, count),
      done ? result.timings.total_ms >= 1 && h("span", {}, t("in_time", { ms: number(Math.round(result.timings.total_ms)) })) : h("span", {}, t(result.stage === "asking" ? "asking" : "reranking")),
      done && result.rerank_planned > result.reranked && h("span", {}, t("reranked", { done: result.reranked, planned: result.rerank_planned })));
    summary.dataset.stage = result.stage;
    if (done) announce(items.length ? count : t("nothing"));
  }

  function nothing(result) {
    const filtered = state.filterCount(state.get()) > 0;
    return [h("h2", {}, t("nothing")),
      h("p", {}, filtered ? t("nothing_filters") : t("nothing_text", { hidden: number(result.hidden), searched: number(result.searched) })),
      h("div.row", {},
        filtered && clearFilters(),
        result.hidden > 0 && state.get().show !== "all" && h("button.button", { type: "button", onclick: () => state.go({ show: "all" }) }, t("show_anyway")))];
  }

  async function browse(signal) {
    try {
      const now = state.get();
      const list = await api.records(listing(now), signal);
      if (signal.aborted) return;
      answer = { next: list.next, browse: true };
      items = list.records.map(recordItem);
      if (!items.length && state.filterCount(now)) return message(h("h2", {}, t("nothing")), h("p", {}, t("nothing_filters")), clearFilters());
      if (!items.length) return message(h("h1", {}, t("empty_library")), h("p", {}, t("empty_library_text")), h("a.button", { href: "/library" }, t("open_library")));
      const suggestions = examples(list.records);
      replace(place, !state.filterCount(now) && h("div.message.welcome", {}, h("h1", {}, t("welcome")), h("p", {}, t("welcome_text")), h("p.note", {}, t("syntax")), suggestions), grid.element);
      replace(summary, h("span", {}, t("images_count", { count: list.total, label: number(list.total) })));
      grid.set(items);
      syncDetail();
    } catch (error) {
      if (!signal.aborted) replace(place, problemMessage(error, run));
    }
  }

  async function more() {
    if (loadingMore || !answer?.next || !controller || controller.signal.aborted) return;
    const { signal } = controller;
    if (!answer.browse && !settled(answer)) return; // The order is not settled yet.
    loadingMore = true;
    try {
      const now = state.get();
      if (answer.browse) {
        const list = await api.records({ ...listing(now), limit: further, cursor: answer.next }, signal);
        if (signal.aborted) return;
        answer = { next: list.next, browse: true };
        take(list.records.map(recordItem));
      } else {
        const next = { ...requestFor(now), offset: answer.next };
        if (answer.cursor) next.cursor = answer.cursor;
        const result = await api.search(next, state.image()?.file, signal);
        if (signal.aborted) return;
        answer = { ...answer, next: result.next, cursor: result.cursor, hidden: result.hidden, stage: "final" };
        take(result.hits.map(toItem));
      }
      loadingMore = false;
      grid.set(items);
      showAfter();
      if (state.get().open) syncDetail();
    } catch (error) {
      if (signal.aborted) return;
      replace(after, problemMessage(error, () => {
        after.hidden = true;
        loadingMore = false;
        more();
      }));
      after.hidden = false;
    }
  }

  // take appends what is not there yet.
  function take(more) {
    if (known.of !== items) known = { of: items, ids: new Set(items.map((item) => item.id)) };
    for (const item of more) {
      if (known.ids.has(item.id)) continue;
      known.ids.add(item.id);
      items.push(item);
    }
  }

  function message(...content) {
    items = [];
    replace(place, h("div.message", {}, content));
  }

  function syncDetail() {
    const { open } = state.get();
    if (!open) return closeDetail();
    const index = items.findIndex((item) => item.id === open);
    if (index >= items.length - 3) more();
    return openDetail({
      id: open, hit: items[index]?.hit, index, count: items.length, beside: [items[index + 1]?.id, items[index - 1]?.id],
      onStep: (step) => items[index + step] && state.go({ open: items[index + step].id }, { replace: true }),
      onClose: () => {
        state.go({ open: "" });
        grid.focus(index);
      },
      onRemoved: () => {
        state.go({ open: "" });
        run();
      },
    });
  }

  const unsubscribe = state.subscribe((now, before) => {
    if (now.view !== "search") return;
    if (watched.some((key) => String(now[key]) !== String(before[key]))) {
      if (now.q !== before.q || now.record !== before.record || now.crop !== before.crop) scrollTo({ top: 0 });
      bar.update();
      show.value = now.show || "weak";
      run();
    } else if (now.open !== before.open) syncDetail();
  });
  run();
  return { element, title: () => state.get().q, destroy: () => {
    unsubscribe();
    controller?.abort();
    grid.destroy();
    closeDetail();
  } };
}

function select(key, values) {
  const now = state.get()[key] || values[0];
  return h("select.field", { id: key, "aria-label": t(key), value: now, onchange: (event) => state.go({ [key]: event.target.value === values[0] ? "" : event.target.value, open: "" }) },
    values.map((value) => h("option", { value, selected: value === now }, t(`${key}_${value}`))));
}

function toItem(hit) {
  const words = hit.caption || hit.title || hit.name || hit.path;
  const mark = percent(hit.probability);
  const said = (hit.answers || []).map((each) => each.answer).join(" · ") || hit.answer || "";
  return { id: hit.id, hit, label: words, verdict: hit.verdict, mark, said, title: [`${words}. ${t(`match_${hit.verdict}`, { percent: mark })}`, said].filter(Boolean).join(". ") };
}

// settled reports whether an answer is the last one of its stream.
const settled = (result) => result.stage === "reranked" || result.stage === "final";

function recordItem(record) {
  const words = record.captions?.[0]?.text || record.metadata?.title || record.name || record.paths?.[0] || record.id;
  return { id: record.id, label: words, title: words };
}

const listing = (now) => ({ kind: "image", limit: page, sort: now.sort === "relevance" ? "" : now.sort, folder: now.folder, camera: now.camera, tag: now.tag, person: now.person, rating: now.rating, format: now.format, after: now.after, before: now.before });

const clearFilters = () => h("button.button", { type: "button", onclick: () => state.go(state.unfiltered()) }, t("clear_filters"));

// opening is how captions begin before they come to what the picture shows.
const opening = /^(here we see|this is|an? (photo|image|picture|drawing) of)\s+/i;

// examples offers captions of the library itself as first searches, the shortest ones.
function examples(records) {
  const texts = records.map((record) => record.captions?.[0]?.text?.replace(opening, "")).filter(Boolean);
  const words = [...new Set(texts)].sort((a, b) => a.length - b.length).slice(0, 4);
  if (!words.length) return null;
  return h("div.examples", {}, h("span.note", {}, t("try")), words.map((text) => h("button.chip", { type: "button", onclick: () => state.go({ ...state.blank, q: text }) }, text)));
}
