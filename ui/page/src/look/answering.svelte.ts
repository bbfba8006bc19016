import { status, type Status } from "../api";

/** The server's second stage, which answers questions about pictures: asked for once, by the first who wants to know. */
class Answering {
  #model = $state.raw<Status["answers"]>(undefined);
  #asked = false;

  /** What the server says of it; undefined where there is none, and until the server has said. */
  get model(): Status["answers"] {
    if (!this.#asked) {
      this.#asked = true;
      status().then(
        (answer) => (this.#model = answer.answers),
        () => (this.#asked = false), // to be asked again, next time
      );
    }
    return this.#model;
  }
}

export const answering = new Answering();
