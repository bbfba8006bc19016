import { address } from "../address";

/** searchByImage makes an image the query. */
export function searchByImage(file: File): void {
  address.hold(file);
  address.visit({ image: true });
}
