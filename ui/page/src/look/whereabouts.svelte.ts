import { map, mapPicture } from "../api";
import { notices, reason } from "../parts";
import { lang } from "../words";

/** Where in the open picture the words of the query are: a map laid over it, and words for who does not see it. */
export class Whereabouts {
  /** The address of the map's picture; empty while it is off. */
  picture = $state("");
  words = $state("");

  get on(): boolean {
    return this.picture !== "";
  }

  hide(): void {
    this.picture = this.words = "";
  }

  async show(id: string, text: string): Promise<void> {
    const mine = mapPicture(id, text);
    this.picture = mine;
    try {
      const found = await map(id, text);
      if (this.picture !== mine) return;
      this.words = lang.t.whereFound(found.clauses, lang.t.places[found.place]);
      notices.announce(this.words);
    } catch (error) {
      if (this.picture !== mine) return;
      this.hide();
      notices.toast(reason(lang.t, error));
    }
  }
}
