// Builds elements. Text is always set as text, never parsed as HTML.

const svgNamespace = "http://www.w3.org/2000/svg";

// h("button.button", {type: "button", onclick: f}, "Search", child, …)
export function h(selector, attributes, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

const paths = {
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 21 21",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.2v.1",
  close: "M5 5l14 14M19 5 5 19",
  back: "M15 4l-8 8 8 8",
  forth: "M9 4l8 8-8 8",
  filter: "M4 6h16M7 12h10M10 18h4",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  auto: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 3v18",
  similar: "M4 4h10v10H4zM10 10h10v10H10z",
  words: "M5 6h14M5 11h14M5 16h9",
  region: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  target: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  tag: "M4 4h8l8 8-8 8-8-8zM8 8v.1",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
};

export function icon(name) {
  const svg = document.createElementNS(svgNamespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("fill", "none");
  svg.setAttribute("stroke", "currentColor");
  svg.setAttribute("stroke-width", "2");
  svg.setAttribute("stroke-linecap", "round");
  svg.setAttribute("stroke-linejoin", "round");
  const path = document.createElementNS(svgNamespace, "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}

// announce tells screen readers something without moving the focus.
export function announce(text) {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}

export function toast(text) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const item = h("div.toast", {}, text);
  place.append(item);
  setTimeout(() => item.remove(), 6000);
}
