import { mount } from "svelte";
import App from "./App.svelte";
import { address } from "./address";
import { connection } from "./library/connection.svelte.ts";
import { session } from "./session.svelte.ts";
import { followLinks, isLinked } from "./share.ts";
import "./styles/index.css";
import { appearance } from "./theme.svelte.ts";
import { lang } from "./words";

/** written waits until nobody is in the middle of composing a word in the field, as one does in Japanese. */
function composed(field: HTMLInputElement | null): Promise<void> {
  if (field?.dataset["composing"] === undefined) return Promise.resolve();
  return new Promise((resolve) => field.addEventListener("compositionend", () => resolve(), { once: true }));
}

/** start puts the page in place of the search box that was there from the start, with what was typed into it. */
async function start(): Promise<void> {
  const before = document.getElementById("start");
  const field = before?.querySelector<HTMLInputElement>("#query") ?? null;
  field?.addEventListener("compositionstart", () => (field.dataset["composing"] = ""));
  appearance.start();
  address.start();
  connection.start();
  const known = session.start();
  await lang.start();
  const followed = known.then(followLinks);
  if (isLinked()) await followed; // who comes by a link is not asked for a token first
  await composed(field);
  const typed = field && { text: field.value, focused: document.activeElement === field };
  before?.remove();
  delete document.documentElement.dataset["screen"];
  mount(App, { target: document.body, props: { typed } });
}

await start();
