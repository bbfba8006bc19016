// The search box: words, an image, or both, with suggestions.
import { h, icon, replace } from "./dom.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { openRegion } from "./detail.js";

export function searchForm() {
  const input = h("input", {
    type: "text", id: "query", name: "q", autocomplete: "off", spellcheck: "false", enterkeyhint: "search", maxlength: "2000",
    role: "combobox", "aria-expanded": "false", "aria-controls": "suggestions", "aria-autocomplete": "list", "aria-label": t("search_label"), placeholder: t("placeholder"),
  });
  const picker = h("input.visually-hidden", { type: "file", accept: "image/*", tabindex: "-1", "aria-hidden": "true", id: "image-file", onchange: () => {
    if (picker.files[0]) searchByImage(picker.files[0]);
    picker.value = "";
  } });
  const query = h("span", {});
  const list = h("ul.suggestions", { id: "suggestions", role: "listbox", "aria-label": t("suggestions"), hidden: true });
  const clear = h("button.button.plain.icon", { type: "button", "aria-label": t("clear"), title: t("clear"), onclick: () => {
    input.value = "";
    state.go({ ...state.blank, view: "search" });
    input.focus();
  } }, icon("close"));
  const form = h("form.search-form", { role: "search", action: "/", onsubmit: (event) => {
    event.preventDefault();
    suggest.close();
    submit(input.value);
  } },
    h("div.search-box", {}, icon("search"), query, input, clear,
      h("button.button.plain.icon", { type: "button", "aria-label": t("choose_image"), title: t("choose_image"), onclick: () => picker.click() }, icon("image")),
      h("button.button.primary", { type: "submit" }, t("search"))),
    picker, list);
  const suggest = suggestions(input, list, submit);

  function update() {
    const now = state.get();
    if (document.activeElement !== input || input.value.trim() === "" || now.q !== submitted) input.value = now.q;
    clear.hidden = !now.q && !now.record && !now.image;
    replace(query, queryImage(now));
  }
  update();
  return { element: form, update };
}

let submitted = "";

function submit(text) {
  submitted = text.trim();
  const now = state.get();
  const fresh = now.view === "search" ? {} : state.blank;
  state.go({ ...fresh, view: "search", q: submitted, open: "" });
}

export function searchByImage(file) {
  state.go({ ...state.blank, view: "search", image: state.setImage(file) });
}

function queryImage(now) {
  const uploaded = state.image();
  if (now.view !== "search" || (!now.record && !uploaded)) return null;
  const source = uploaded ? uploaded.url : api.thumbnail(now.record);
  const region = () => openRegion({ source: uploaded ? uploaded.url : api.original(now.record), fallback: source, crop: state.crop(now), onSearch: (crop) => state.go({ crop, open: "" }) });
  return h("span.query-image", {},
    h("button", { type: "button", "aria-label": t("query_image"), title: t("query_image"), onclick: region }, h("img", { src: source, alt: "", onerror: (event) => event.target.replaceWith(icon("image")) })),
    h("button.cross", { type: "button", "aria-label": t("remove_image"), title: t("remove_image"), onclick: () => state.go({ record: "", image: false, crop: "" }) }, "×"));
}

function suggestions(input, list, choose) {
  let items = [];
  let active = -1;
  let timer = 0;
  let controller = null;

  function close() {
    clearTimeout(timer);
    controller?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function select(index) {
    active = index;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", at === index));
    if (index >= 0) {
      input.setAttribute("aria-activedescendant", list.children[index].id);
      list.children[index].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function accept(item) {
    close();
    input.value = item.text;
    choose(item.text);
  }

  async function load() {
    const text = input.value.trim();
    if (text.length < 2) return close();
    controller?.abort();
    controller = new AbortController();
    try {
      const answer = await api.suggestions(text, controller.signal);
      items = answer.suggestions || [];
    } catch {
      return close(); // Suggestions are a help, never an error.
    }
    if (!items.length || document.activeElement !== input) return close();
    replace(list, items.map((item, index) => h("li", { id: `suggestion-${index}`, role: "option", "aria-selected": "false", onmousedown: (event) => {
      event.preventDefault();
      accept(item);
    } }, h("span", {}, item.text), item.source && h("small", {}, t(`source_${item.source}`)))));
    active = -1;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, 160);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      select(((active + 1 + step + items.length + 1) % (items.length + 1)) - 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      accept(items[active]);
    }
  });
  return { close };
}
