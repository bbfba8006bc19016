import { address } from "../address";

/** lookupImage has an image looked up. */
export function lookupImage(file: File): void {
  address.hold(file);
  address.visit({ view: "lookup", image: true });
}
