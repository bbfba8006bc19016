/** A piece of a text in which words were found. */
export type Piece = { text: string; marked: boolean };

const entities: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#34;": '"', "&#39;": "'" };
const plain = (text: string) => text.replace(/&(?:lt|gt|amp|#34|#39);/g, (entity) => entities[entity] ?? entity);

/** fragmentPieces cuts the server's excerpt, escaped text with <mark> around the words that fit, into pieces of plain text. */
export function fragmentPieces(fragment: string): Piece[] {
  return fragment
    .split(/<mark>(.*?)<\/mark>/s)
    .map((text, at) => ({ text: plain(text), marked: at % 2 === 1 }))
    .filter((piece) => piece.text !== "");
}
