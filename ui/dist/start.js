// Runs before the page is drawn: the reader's colours, and whether the first screen is asked for, whose search box is larger.
const theme = localStorage.getItem("mekiki-theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
if (location.pathname === "/" && location.search === "") document.documentElement.dataset.screen = "first";
