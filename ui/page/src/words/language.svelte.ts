import en, { type Words } from "./en.ts";
import { formats, type Format } from "./format.ts";

/** Each language, by its own name. */
export const languageNames = { en: "English", ja: "日本語" };
export type Language = keyof typeof languageNames;

const storedAs = "mekiki-language";

/** The reader's language: its words (t) and how it writes numbers and dates (f). English is there from the start. */
class Reader {
  #language = $state<Language>("en");
  #words = $state.raw<Words>(en);
  #format = $derived<Format>(formats(this.#language));

  get language(): Language {
    return this.#language;
  }
  get t(): Words {
    return this.#words;
  }
  get f(): Format {
    return this.#format;
  }

  /** start chooses the language that was chosen before, or else the browser's. */
  async start(): Promise<void> {
    const wanted = [localStorage.getItem(storedAs) ?? "", ...navigator.languages];
    const known = wanted.map((each) => each.slice(0, 2).toLowerCase()).find(isLanguage) ?? "en";
    await this.#load(known);
  }

  async choose(language: Language): Promise<void> {
    localStorage.setItem(storedAs, language);
    await this.#load(language);
  }

  async #load(language: Language): Promise<void> {
    this.#words = language === "ja" ? (await import("./ja.ts")).default : en;
    this.#language = language;
    document.documentElement.lang = language;
  }
}

const isLanguage = (name: string): name is Language => name in languageNames;

export const lang = new Reader();
