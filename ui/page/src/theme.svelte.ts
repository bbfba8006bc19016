export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const storedAs = "mekiki-theme";
const isTheme = (name: string | null): name is Theme => themes.some((each) => each === name);

/** Light or dark, or as the system has it: then the style sheet follows by itself. */
class Appearance {
  #theme = $state<Theme>("auto");

  get theme(): Theme {
    return this.#theme;
  }

  start(): void {
    const stored = localStorage.getItem(storedAs);
    this.#apply(isTheme(stored) ? stored : "auto");
  }

  choose(theme: Theme): void {
    localStorage.setItem(storedAs, theme);
    this.#apply(theme);
  }

  #apply(theme: Theme): void {
    this.#theme = theme;
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }
}

export const appearance = new Appearance();
