import { unreachable } from "../api/request.ts";

const between = 2000; // milliseconds between two tries to reach the server

/** Whether the server answers. When it is gone, it is asked again until it is back. */
class Connection {
  gone = $state(false);
  /** Counts up when the server is back, so that what could not be loaded is asked for again. */
  returns = $state(0);

  start(): void {
    addEventListener(unreachable, () => this.#lost());
    addEventListener("online", () => void this.#probe());
  }

  #lost(): void {
    if (this.gone) return;
    this.gone = true;
    void this.#wait();
  }

  async #wait(): Promise<void> {
    while (this.gone) {
      await new Promise((resolve) => setTimeout(resolve, between));
      await this.#probe();
    }
  }

  async #probe(): Promise<void> {
    if (!this.gone) return;
    try {
      if (!(await fetch("/readyz", { cache: "no-store" })).ok) return;
    } catch {
      return; // not yet
    }
    this.gone = false;
    this.returns += 1;
  }
}

export const connection = new Connection();
