import { address } from "../address";
import { keepImage } from "./heldimage.ts";

/** searchByImage makes an image the query. */
export function searchByImage(file: File): void {
  address.hold(file);
  void keepImage(file);
  address.visit({ image: true });
}
