// One picture: large, with what is known of it and why it was found; and the
// selector of a region to search with.
import { h, icon, replace, toast, announce } from "./dom.js";
import * as i18n from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { reason } from "./messages.js";
import { showAsk } from "./ask.js";
import { placeButton } from "./place.js";

const { t } = i18n;
let dialog = null;
let view = null; // what the open dialog shows

// openDetail shows a record. {id, hit, index, count, beside, onStep, onClose, onRemoved}
export function openDetail(next) {
  if (view?.id === next.id && dialog) {
    view = next;
    if (next.hit) showWhy();
    showSteps();
    return;
  }
  view = next;
  if (!dialog) makeDialog();
  if (!dialog.open) dialog.showModal();
  load(next.id);
}

export function closeDetail() {
  view = null;
  if (dialog?.open) dialog.close();
}

function makeDialog() {
  dialog = h("dialog.detail", { "aria-labelledby": "detail-title" });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    view?.onClose();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, select, .region")) return;
    if (event.key === "ArrowLeft") view?.onStep(-1);
    if (event.key === "ArrowRight") view?.onStep(1);
  });
  document.body.append(dialog);
}

const part = (name) => dialog.querySelector(`[data-part="${name}"]`);

async function load(id) {
  const step = (name, by) => h(`button.button.icon.step.${name}`, { type: "button", "data-step": by, "aria-label": t(by < 0 ? "previous" : "next"), onclick: () => view?.onStep(by) }, icon(name));
  const picture = h("div.picture", { "data-part": "picture" }, largeImage(api.original(id), api.thumbnail(id), "image"));
  replace(dialog, h("div.detail-layout", {},
    h("div.detail-stage", {}, picture, step("back", -1), step("forth", 1)),
    h("div.detail-side", {},
      h("div.detail-head", {}, h("h2", { id: "detail-title", "data-part": "title" }, t("loading")), h("button.button.icon", { type: "button", "aria-label": t("close"), title: t("close"), onclick: () => view?.onClose() }, icon("close"))),
      h("div", { "data-part": "verdict" }), h("div.row", { "data-part": "actions" }), h("div", { "data-part": "place" }), h("div", { "data-part": "ask" }), h("div", { "data-part": "why" }), h("div", { "data-part": "facts" }), h("div", { "data-part": "tags" }), h("div", { "data-part": "remove" }))));
  showSteps();
  showActions(id);
  try {
    const record = await api.record(id);
    if (view?.id !== id) return;
    showRecord(record);
    preload();
  } catch (error) {
    if (view?.id === id) replace(part("title"), reason(error));
  }
}

// largeImage is a picture that fills its stage, small ones most of it.
function largeImage(source, fallback, part) {
  const image = h("img", { alt: "", src: source, "data-part": part });
  image.addEventListener("error", () => {
    if (image.src.endsWith(fallback)) image.replaceWith(h("p", {}, t("no_preview")));
    else image.src = fallback;
  });
  const fit = () => {
    const stage = image.closest(".detail-stage");
    const { naturalWidth, naturalHeight } = image;
    if (!stage || !naturalWidth) return;
    const full = Math.min(stage.clientWidth / naturalWidth, stage.clientHeight / naturalHeight);
    const scale = Math.min(full, Math.max(1, 0.8 * full));
    image.style.width = `${Math.floor(naturalWidth * scale)}px`;
    image.style.height = `${Math.floor(naturalHeight * scale)}px`;
  };
  image.addEventListener("load", fit);
  const observer = new ResizeObserver(() => (image.isConnected ? fit() : observer.disconnect()));
  requestAnimationFrame(() => image.isConnected && observer.observe(image.closest(".detail-stage")));
  return image;
}

// preload fetches the pictures beside the open one, so that the arrow keys do not wait.
function preload() {
  for (const id of view.beside || []) if (id) new Image().src = api.original(id);
}

function showSteps() {
  for (const button of dialog.querySelectorAll("[data-step]")) {
    const target = view.index + Number(button.dataset.step);
    button.disabled = view.index < 0 || target < 0 || target >= view.count;
  }
}

function showActions(id) {
  const region = () => openRegion({ source: api.original(id), fallback: api.thumbnail(id), onSearch: (crop) => state.go({ ...state.blank, view: "search", record: id, crop }) });
  const { q: text } = state.get();
  replace(part("actions"),
    h("button.button", { type: "button", onclick: () => state.go({ ...state.blank, view: "search", record: id }) }, icon("similar"), t("find_similar")),
    h("button.button", { type: "button", onclick: () => state.go({ ...state.blank, view: "lookup", record: id }) }, icon("words"), t("describe")),
    h("button.button", { type: "button", onclick: region }, icon("region"), t("select_region")),
    text && view.hit && placeButton({ id, text, picture: () => part("picture"), note: () => part("place"), shown: () => view?.id === id }),
    h("a.button", { href: api.original(id), target: "_blank", rel: "noopener" }, icon("download"), t("open_original")));
}

function showRecord(record) {
  const caption = record.captions?.[0]?.text;
  const name = (record.name || record.paths?.[0] || "").split(/[\\/]/).pop();
  replace(part("title"), caption || record.metadata?.title || name || record.id);
  part("image").alt = caption || name || "";
  announce(caption || name || "");
  showWhy();
  showFacts(record);
  showTags(record);
  const mayWrite = document.documentElement.dataset.scopes?.includes("write");
  showAsk(part("ask"), { id: record.id, mayTag: mayWrite, shown: () => view?.id === record.id, onTagged: (name) => tagged(record.id, name) });
  replace(part("remove"), mayWrite && h("button.button.danger", { type: "button", onclick: () => remove(record.id) }, icon("trash"), t("remove")));
}

// tagged shows a tag that a record got elsewhere in the dialog.
async function tagged(id, name) {
  toast(t("tagged", { name }));
  const fresh = await api.record(id);
  if (view?.id === id) showTags(fresh);
}

async function remove(id) {
  if (!confirm(t("remove_sure"))) return;
  try {
    await api.removeRecord(id);
    toast(t("removed"));
    view?.onRemoved();
  } catch (error) {
    toast(reason(error));
  }
}

function showWhy() {
  const { hit } = view;
  if (!hit) {
    replace(part("verdict"));
    replace(part("why"));
    return;
  }
  const percent = i18n.percent(hit.probability);
  replace(part("verdict"), h(`span.badge.${hit.verdict}`, {}, t(`match_${hit.verdict}`, { percent })), h(`div.meter.${hit.verdict}`, {}, bar(hit.probability)));
  const why = hit.explanation;
  if (!why) return replace(part("why"), hit.reason && h("p.note", {}, hit.reason));
  return replace(part("why"), h("div.why", {}, h("h3", {}, t("why")),
    signal(t("meaning"), why.vector && (why.vector.score + 1) / 2, ranked(why.vector)),
    signal(t("words"), why.keyword?.scaled, ranked(why.keyword)),
    (why.match?.clauses || []).map((clause) => signal(clauseName(why.match.clauses, clause), clause.probability, i18n.percent(clause.probability))),
    (why.words || []).map((match) => h("p.note", {}, `${fieldName(match.field)}: `, match.fragments.map(highlighted)))));
}

const clauseName = (clauses, clause) => (clauses.length > 1 || clause.unwanted ? `${clause.unwanted ? `${t("unwanted")}: ` : ""}“${clause.text}”` : t("matching"));

function fieldName(field) {
  const name = t(field);
  return name === field ? field.replaceAll("_", " ") : name;
}

const ranked = (leg) => leg && `${i18n.decimal(leg.score)} · ${t("rank", { rank: i18n.number(leg.rank) })}`;

function signal(name, share, text) {
  return h("div.signal", {}, h("b", {}, name), h("div.meter", {}, bar(share || 0)), h("span.value", {}, text || t("not_found")));
}

function bar(share) {
  const filled = h("span", {});
  filled.style.width = `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
  return filled;
}

// highlighted shows a fragment with its <mark>…</mark> as elements; all else is text.
function highlighted(fragment) {
  return fragment.split(/(<mark>.*?<\/mark>)/).map((piece) => {
    const match = /^<mark>(.*)<\/mark>$/.exec(piece);
    return match ? h("mark", {}, match[1]) : piece;
  });
}

function showFacts(record) {
  const about = record.metadata || {};
  const facts = [
    [t("path"), [record.name, ...(record.paths || [])].filter(Boolean).join("\n")], [t("title"), about.title], [t("description"), about.description],
    [t("size"), record.width ? `${record.width} × ${record.height}, ${i18n.bytes(record.bytes)}, ${record.format}` : ""], [t("damage"), record.damage],
    [t("taken"), about.taken && [i18n.date(about.taken), about.taken_offset].filter(Boolean).join(" ")], [t("camera"), about.camera], [t("lens"), about.lens], [t("place"), about.place],
    [t("position"), about.latitude !== undefined && about.latitude !== null ? `${about.latitude.toFixed(5)}, ${about.longitude.toFixed(5)}` : ""],
    [t("keywords"), (about.keywords || []).join(", ")], [t("people"), (about.people || []).join(", ")],
    [t("rating"), about.rating > 0 ? "★".repeat(about.rating) : about.rating && t("rejected")], [t("label"), about.label],
    [t("creator"), about.creator], [t("copyright"), about.copyright], [t("generation"), about.generation], [t("added"), record.added && i18n.date(record.added)],
    ...(record.captions || []).slice(1).map((caption) => [t("caption"), caption.text]),
  ].filter(([, value]) => value);
  replace(part("facts"), h("h3", {}, t("about")), h("dl.facts", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function showTags(record) {
  const mayWrite = document.documentElement.dataset.scopes?.includes("write");
  const tags = record.tags || [];
  const change = async (action, name) => {
    try {
      await action(record.id, name);
      const fresh = await api.record(record.id);
      if (view?.id === record.id) showTags(fresh);
    } catch (error) {
      toast(reason(error));
    }
  };
  if (!tags.length && !mayWrite) return replace(part("tags"));
  const input = h("input.field", { type: "text", maxlength: "100", "aria-label": t("add_tag"), placeholder: t("add_tag") });
  return replace(part("tags"), h("h3", {}, t("tags")),
    h("div.chips", {}, tags.map((name) => h("span.chip", {}, name, mayWrite && h("button.button.plain.cross", { type: "button", "aria-label": t("remove_tag", { name }), onclick: () => change(api.untag, name) }, "×")))),
    mayWrite && h("form.row.tight", { onsubmit: (event) => {
      event.preventDefault();
      if (input.value.trim()) change(api.tag, input.value.trim());
    } }, input, h("button.button", { type: "submit" }, t("add"))));
}

// openRegion lets a part of a picture be chosen, by pointer or arrow keys.
export function openRegion({ source, fallback, crop, onSearch }) {
  let area = crop || { x: 0.2, y: 0.2, width: 0.6, height: 0.6 };
  const frame = h("div.frame-line", {});
  const region = h("div.region", { tabindex: "0", role: "application", "aria-label": t("region_help") }, frame);
  const image = largeImage(source, fallback, "source");
  const chooser = h("dialog.detail", { "aria-label": t("select_region") });
  const finish = () => {
    chooser.close();
    chooser.remove();
  };
  const search = () => {
    finish();
    onSearch([area.x, area.y, area.width, area.height].map((value) => value.toFixed(4)).join(","));
  };
  const draw = () => {
    for (const [side, value] of [["left", area.x], ["top", area.y], ["width", area.width], ["height", area.height]]) frame.style[side] = `${100 * value}%`;
  };
  const change = (next) => {
    const width = clamp(next.width, 0.02, 1);
    const height = clamp(next.height, 0.02, 1);
    area = { x: clamp(next.x, 0, 1 - width), y: clamp(next.y, 0, 1 - height), width, height };
    draw();
  };
  dragging(region, change);
  region.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
    if (event.key === "Enter") search();
    if (!by) return;
    event.preventDefault();
    change(event.shiftKey ? { ...area, width: area.width + by[0], height: area.height + by[1] } : { ...area, x: area.x + by[0], y: area.y + by[1] });
  });
  chooser.append(h("div.detail-layout", {}, h("div.detail-stage", {}, h("div.picture", {}, image, region)),
    h("div.detail-side", {}, h("h2", {}, t("select_region")), h("p.note", {}, t("region_help")), h("div.row", {}, h("button.button.primary", { type: "button", onclick: search }, t("search_region")), h("button.button", { type: "button", onclick: finish }, t("cancel"))))));
  chooser.addEventListener("close", () => chooser.remove());
  document.body.append(chooser);
  draw();
  chooser.showModal();
  region.focus();
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

function dragging(region, change) {
  let start = null;
  const at = (event) => {
    const box = region.getBoundingClientRect();
    return { x: clamp((event.clientX - box.left) / box.width, 0, 1), y: clamp((event.clientY - box.top) / box.height, 0, 1) };
  };
  region.addEventListener("pointerdown", (event) => {
    start = at(event);
    region.setPointerCapture(event.pointerId);
  });
  region.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = at(event);
    change({ x: Math.min(start.x, end.x), y: Math.min(start.y, end.y), width: Math.abs(end.x - start.x), height: Math.abs(end.y - start.y) });
  });
  region.addEventListener("pointerup", () => { start = null; });
}
