/** Whether the sheet with the query language and the keys is open. */
export const help = $state({ open: false });

export const openHelp = (): void => {
  help.open = true;
};
