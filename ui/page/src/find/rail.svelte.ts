import { MediaQuery } from "svelte/reactivity";
import { address } from "../address";
import { isFirstScreen } from "./question.ts";

const storedAs = "mekiki-rail";

/** The filters beside the pictures: where the window is wide enough, open as its reader left them, and on very wide ones from the start. */
class Rail {
  #wide = new MediaQuery("min-width: 1100px");
  #veryWide = new MediaQuery("min-width: 1500px");
  #chosen = $state<string | null>(localStorage.getItem(storedAs));

  get fits(): boolean {
    return this.#wide.current;
  }

  get open(): boolean {
    if (!this.fits) return false;
    if (this.#chosen) return this.#chosen === "open";
    return this.#veryWide.current && !isFirstScreen(address.state);
  }

  toggle(): void {
    this.#chosen = this.open ? "closed" : "open";
    localStorage.setItem(storedAs, this.#chosen);
  }
}

export const rail = new Rail();
