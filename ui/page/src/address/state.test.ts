import { describe, expect, it } from "vitest";
import { area, blank, filter, filterCount, format, href, parse, unknown } from "./state.ts";

const at = (address: string) => parse(new URL(address, "http://localhost"));

describe("the state of an address", () => {
  it("comes back from its address", () => {
    const addresses = [
      "/",
      "/?q=two+cats",
      "/?q=two+cats&sort=date_ascending&show=all&open=17",
      "/?record=3&crop=0.1000%2C0.2000%2C0.3000%2C0.4000",
      "/?after=2024-01-01&folder=a%2Fb&folder=c&tag=x&image=1",
      "/lookup?record=3",
      "/duplicates?level=scene",
    ];
    for (const address of addresses) expect(format(at(address))).toBe(address);
  });

  it("is the first screen where an address is unknown", () => {
    expect(at("/nowhere?what=1")).toEqual(blank());
  });

  it("tells the addresses that it does not know", () => {
    for (const address of ["/", "/search", "/lookup", "/trash/", "/index.html"])
      expect(unknown({ pathname: address })).toBe(false);
    for (const address of ["/nowhere", "/library/3", "/Library"]) expect(unknown({ pathname: address })).toBe(true);
  });

  it("has the filters under the names of the API", () => {
    const state = at("/?folder=a&folder=b&before=2024-01-01");
    expect(filter(state)).toEqual({ folders: ["a", "b"], before: "2024-01-01" });
    expect(filterCount(state)).toBe(3);
  });

  it("has an area only where it is four numbers", () => {
    expect(area(at("/?crop=0.1,0.2,0.3,0.4"))).toEqual({ x: 0.1, y: 0.2, width: 0.3, height: 0.4 });
    for (const crop of ["", "1,2,3", "1,2,3,x", "1,2,3,4,5"]) expect(area({ ...blank(), crop })).toBeUndefined();
  });

  it("is written for links", () => {
    expect(href({ view: "library" })).toBe("/library");
    expect(href({ q: "a & b" })).toBe("/?q=a+%26+b");
  });
});
