import { address } from "../address";
import { keepImages } from "./heldimage.ts";
import { mostPictures } from "./question.ts";

/** searchByImages makes an image the query, or several of which hits are to be like all. */
export function searchByImages(files: readonly File[]): void {
  const [first, ...more] = files.slice(0, mostPictures);
  if (!first) return;
  address.hold(first, ...more);
  void keepImages([first, ...more]);
  address.visit({ image: true });
}
