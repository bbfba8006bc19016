/** Paths of 24 x 24 drawings in strokes. */
export const icons = {
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 21 21",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.2v.1",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  expand: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  info: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 11v5M12 8v.1",
  close: "M5 5l14 14M19 5 5 19",
  back: "M15 4l-8 8 8 8",
  forth: "M9 4l8 8-8 8",
  filter: "M4 6h16M7 12h10M10 18h4",
  help: "M9 9a3 3 0 1 1 4.2 2.75c-.8.4-1.2 1-1.2 1.75v.5M12 17.5v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  similar: "M4 4h10v10H4zM10 10h10v10H10z",
  words: "M5 6h14M5 11h14M5 16h9",
  region: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  target: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  tag: "M4 4h8l8 8-8 8-8-8zM8 8v.1",
  star: "M12 4l2.5 5.2 5.5.8-4 4 1 5.6-5-2.7-5 2.7 1-5.6-4-4 5.5-.8z",
  heart: "M12 20s-7-4.6-7-10a4 4 0 0 1 7-2.6A4 4 0 0 1 19 10c0 5.4-7 10-7 10z",
  collection: "M4 8h16v12H4zM6 5h12M8 2.5h8",
  hide: "M4 4l16 16M9.5 5.4A9 9 0 0 1 21 12a12 12 0 0 1-2.6 3.4M6 7.6A12 12 0 0 0 3 12a9 9 0 0 0 12 5.8",
  edit: "M4 20l1-5L16 4l4 4L9 19z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
} as const;

export type IconName = keyof typeof icons;
