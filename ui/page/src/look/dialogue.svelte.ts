import { aborted, chat } from "../api";
import { notices, reason } from "../parts";
import { lang } from "../words";

const mostTurns = 32; // of a dialogue that the server reads

export type Turn = {
  question: string;
  answer: string;
  probability?: number;
  done: boolean;
  /** The answer ends before its end: it was stopped, or grew too long. */
  cut: boolean;
  failed: string;
};

/** Questions about one picture, whose answers come word by word. */
export class Dialogue {
  turns = $state<Turn[]>([]);
  busy = $state(false);
  #id: string;
  #controller: AbortController | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  async ask(question: string): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.#controller = new AbortController();
    const history = this.turns
      .filter((turn) => turn.done && turn.answer)
      .map(({ question, answer }) => ({ question, answer }))
      .slice(-mostTurns);
    this.turns.push({ question, answer: "", done: false, cut: false, failed: "" });
    const turn = this.turns[this.turns.length - 1] as Turn;
    try {
      await chat(
        { record: this.#id, question, history },
        this.#controller.signal,
        (piece) => (turn.answer += piece),
        ({ answer, answer_probability, ended }) =>
          Object.assign(turn, { answer, probability: answer_probability, cut: !ended, done: true }),
      );
      notices.announce(`${question} ${turn.answer}`);
    } catch (error) {
      if (aborted(error)) turn.cut = true;
      else turn.failed = reason(lang.t, error);
    }
    this.busy = false;
  }

  stop(): void {
    this.#controller?.abort();
  }

  restart(): void {
    this.turns = [];
  }
}

const dialogues = new Map<string, Dialogue>();

/** dialogueOf gives what was asked about a picture while the page is open. */
export function dialogueOf(id: string): Dialogue {
  const found = dialogues.get(id) ?? new Dialogue(id);
  dialogues.set(id, found);
  return found;
}
