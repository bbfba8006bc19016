// Filters as chips: what is on, and a panel of what the library offers.
import { h, icon, replace } from "./dom.js";
import { t, number } from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { filters } from "./filtertable.js";

const counted = filters.filter((each) => each.facet);
const dated = filters.filter((each) => !each.repeatable).map((each) => each.key);

export function filterBar() {
  const panel = h("div.popover.stack", { hidden: true, role: "dialog", "aria-label": t("filters") });
  const button = h("button.button", { type: "button", "aria-expanded": "false", id: "filter-button", onclick: () => toggle() }, icon("filter"), t("add_filter"));
  const anchor = h("div.filter-anchor", {}, button, panel);
  const chips = h("div.chips", {});

  function toggle(open = panel.hidden) {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", open);
    if (open) fill(panel);
  }
  anchor.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) {
      toggle(false);
      button.focus();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (!panel.hidden && !anchor.contains(event.target)) toggle(false);
  });
  const update = () => {
    replace(chips, activeChips());
    if (!panel.hidden) fill(panel);
  };
  update();
  return { element: h("div.row", {}, anchor, chips), update };
}

function activeChips() {
  const now = state.get();
  const chips = [];
  const chip = (label, name, changes) => chips.push(h("button.chip.on", { type: "button", "aria-label": t("remove_filter", { name: `${label}: ${name}` }), onclick: () => state.go({ ...changes, open: "" }) }, h("span", {}, `${label}: ${name}`), h("span.cross", { "aria-hidden": "true" }, "×")));
  for (const { key } of counted) {
    for (const value of now[key]) chip(t(key), shortName(key, value), { [key]: now[key].filter((other) => other !== value) });
  }
  for (const key of dated) if (now[key]) chip(t(key), now[key], { [key]: "" });
  if (chips.length > 1) chips.push(h("button.button.plain", { type: "button", onclick: () => state.go({ ...state.unfiltered(), open: "" }) }, t("clear_filters")));
  return chips;
}

const shortName = (key, value) => (key === "folder" ? value.split(/[\\/]/).filter(Boolean).pop() || value : value);

async function fill(panel) {
  const now = state.get();
  const dates = dated.map((key) => h("label.label", {}, t(key), h("input.field", { type: "date", value: now[key], onchange: (event) => state.go({ [key]: event.target.value, open: "" }) })));
  let facets = {};
  try {
    facets = (await api.records({ limit: 1, facets: true, kind: "image" })).facets || {};
  } catch {
    // The dates can still be chosen.
  }
  const groups = counted.map(({ key, facet }) => facetGroup(key, facets[facet] || []));
  replace(panel, groups, dates);
}

function facetGroup(key, values) {
  if (!values.length) return null;
  const now = state.get();
  const toggle = (value) => state.go({ [key]: now[key].includes(value) ? now[key].filter((other) => other !== value) : [...now[key], value], open: "" });
  return h("div.stack", {}, h("h2.minor", {}, t(key)), h("div.chips", {}, values.slice(0, 24).map((facet) => h(`button.chip${now[key].includes(facet.value) ? ".on" : ""}`, { type: "button", "aria-pressed": String(now[key].includes(facet.value)), title: facet.value, onclick: () => toggle(facet.value) }, shortName(key, facet.value), h("span.count", {}, number(facet.count))))));
}
