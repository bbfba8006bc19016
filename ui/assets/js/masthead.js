// The top of every page: name, search box, tabs, language and appearance.
import { h, icon, replace } from "./dom.js";
import * as i18n from "./i18n.js";
import * as state from "./state.js";
import { searchForm } from "./searchbox.js";

const { t } = i18n;
const themeKey = "mekiki-theme";
const themes = ["auto", "light", "dark"];

export const theme = () => localStorage.getItem(themeKey) || "auto";

export function applyTheme() {
  const dark = theme() === "dark" || (theme() === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);

function themeButton() {
  const button = h("button.button.plain.icon", { type: "button", id: "theme" });
  const show = () => {
    button.setAttribute("aria-label", t(`theme_${theme()}`));
    button.title = t(`theme_${theme()}`);
    replace(button, icon({ auto: "auto", light: "sun", dark: "moon" }[theme()]));
  };
  button.addEventListener("click", () => {
    localStorage.setItem(themeKey, themes[(themes.indexOf(theme()) + 1) % themes.length]);
    applyTheme();
    show();
  });
  show();
  return button;
}

function languageSelect(onChange) {
  const options = Object.entries(i18n.names).map(([code, name]) => h("option", { value: code, lang: code, selected: code === i18n.current() }, name));
  return h("select.field", { id: "language", "aria-label": t("language"), onchange: (event) => {
    i18n.choose(event.target.value);
    onChange();
  } }, options);
}

export function masthead({ onLanguage, onSignOut }) {
  const link = (view) => h("a.tab", { href: state.href({ view }), "data-view": view, onclick: (event) => navigate(event, { ...state.blank, view }) }, t(view));
  const tabs = h("nav.tabs", { "aria-label": t("main_navigation") }, ["search", "lookup", "library", "duplicates"].map(link));
  const mark = () => {
    for (const tab of tabs.children) {
      if (tab.dataset.view === state.get().view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
  };
  mark();
  const form = searchForm();
  const element = h("header.masthead", {},
    h("div.masthead-row", {},
      h("a.brand", { href: "/", onclick: (event) => navigate(event, { ...state.blank, view: "search" }) }, h("img", { src: "/icon.svg", alt: "" }), h("span", {}, "Mekiki")),
      form.element, tabs,
      h("div.preferences", {}, languageSelect(onLanguage), themeButton(), onSignOut && h("button.button.plain", { type: "button", onclick: onSignOut }, t("sign_out")))));
  return { element, update: () => { mark(); form.update(); } };
}

// navigate follows a link inside the page, unless it is to open elsewhere.
export function navigate(event, changes) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  state.go(changes);
}
