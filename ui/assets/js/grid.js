// A grid of pictures that keeps only the tiles in sight in the page, so that it
// stays smooth however many there are. Items are {id, label, mark, verdict}.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import * as api from "./api.js";

const gap = 12;
const minimumTile = 176;
const few = 8; // so many pictures or fewer are shown larger
const largeTile = 260;
const ahead = 600; // pixels above and below the window that are kept ready

export class Grid {
  // onOpen(index), onMore() when the end comes near.
  constructor({ label, onOpen, onMore }) {
    this.items = [];
    this.tiles = new Map(); // id -> {element, index}
    this.onOpen = onOpen;
    this.onMore = onMore;
    this.element = h("div.grid", { role: "list", "aria-label": label });
    this.layout = this.layout.bind(this);
    this.draw = this.draw.bind(this);
    this.observer = new ResizeObserver(this.layout);
    this.observer.observe(this.element);
    addEventListener("scroll", this.draw, { passive: true });
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  destroy() {
    this.observer.disconnect();
    removeEventListener("scroll", this.draw);
  }

  // set replaces the items; tiles that stay move to their new places when animate is on.
  set(items, { animate = false } = {}) {
    this.items = items;
    this.animate = animate;
    this.layout();
    this.animate = false;
  }

  layout() {
    const width = this.element.clientWidth;
    if (!width) return;
    const tile = this.items.length <= few && width > 600 ? largeTile : minimumTile;
    this.columns = Math.max(2, Math.floor((width + gap) / (tile + gap)));
    this.side = (width - gap * (this.columns - 1)) / this.columns;
    const rows = Math.ceil(this.items.length / this.columns);
    this.element.style.height = `${Math.max(0, rows * (this.side + gap) - gap)}px`;
    this.draw();
  }

  draw() {
    if (!this.columns) return;
    const top = this.element.getBoundingClientRect().top;
    const pitch = this.side + gap;
    const first = Math.max(0, Math.floor((-top - ahead) / pitch)) * this.columns;
    const last = Math.min(this.items.length, (Math.floor((innerHeight - top + ahead) / pitch) + 1) * this.columns);
    const wanted = new Map();
    for (let index = first; index < last; index += 1) wanted.set(this.items[index].id, index);
    for (const [id, tile] of this.tiles) {
      if (!wanted.has(id) && !tile.element.contains(document.activeElement)) {
        tile.element.remove();
        this.tiles.delete(id);
      }
    }
    for (const [id, index] of wanted) this.place(id, index);
    if (this.onMore && last >= this.items.length - this.columns * 2) this.onMore();
  }

  place(id, index) {
    const item = this.items[index];
    let tile = this.tiles.get(id);
    const fresh = !tile;
    if (fresh) {
      tile = { element: this.make(item) };
      this.tiles.set(id, tile);
      this.element.append(tile.element);
    } else if (tile.item !== item) {
      this.update(tile.element, item);
    }
    tile.item = item;
    tile.index = index;
    const { element } = tile;
    element.classList.toggle("moving", Boolean(this.animate) && !fresh);
    element.style.width = `${this.side}px`;
    element.style.height = `${this.side}px`;
    const x = (index % this.columns) * (this.side + gap);
    const y = Math.floor(index / this.columns) * (this.side + gap);
    element.style.transform = `translate(${x}px, ${y}px)`;
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.items.length);
    element.dataset.index = index;
  }

  make(item) {
    const image = h("img", { alt: "", decoding: "async", src: api.thumbnail(item.id) });
    const button = h("button.tile", { type: "button", onclick: (event) => this.onOpen(Number(event.currentTarget.parentElement.dataset.index)) }, image);
    image.addEventListener("load", () => image.classList.add("loaded"));
    image.addEventListener("error", () => button.append(h("span.missing", {}, t("no_preview"))), { once: true });
    const cell = h("div.cell", { role: "listitem" }, button);
    cell.dataset.id = item.id;
    this.update(cell, item);
    return cell;
  }

  update(cell, item) {
    const button = cell.querySelector("button");
    for (const old of button.querySelectorAll(".mark, .veil, .said")) old.remove();
    if (item.mark) button.append(h(`span.mark.${item.verdict}`, {}, item.mark));
    if (item.said) button.append(h("span.said", {}, item.said));
    if (item.label) button.append(h("span.veil", {}, h("span", {}, item.label)));
    button.setAttribute("aria-label", item.title || item.label || item.id);
  }

  focus(index) {
    const item = this.items[index];
    if (!item) return;
    const pitch = this.side + gap;
    const row = Math.floor(index / this.columns);
    const top = this.element.getBoundingClientRect().top + scrollY + row * pitch;
    const head = 150;
    if (top - head < scrollY) scrollTo({ top: top - head });
    else if (top + pitch > scrollY + innerHeight) scrollTo({ top: top + pitch - innerHeight + 16 });
    this.draw();
    this.tiles.get(item.id)?.element.querySelector("button").focus({ preventScroll: true });
  }

  key(event) {
    const cell = event.target.closest("[data-index]");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = Number(cell.dataset.index);
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, Home: -index, End: this.items.length - 1 - index };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.focus(Math.min(Math.max(index + steps[event.key], 0), this.items.length - 1));
  }
}
