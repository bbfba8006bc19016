/** A file that somebody gave, and the folders that it lay in, with slashes between them. */
export type Given = { file: File; folder: string };

// What browsers do not call an image, and the server may read: it decides.
const others = /\.(avif|hei[cf]|jxl|tiff?|dng|cr[23w]|nef|arw|raf|orf|rw2|pef|srw|jp2|psd|webp|bmp|gif|png|jpe?g)$/i;

/** mayBePicture tells pictures from what else lies in folders. */
export const mayBePicture = (file: File): boolean => file.type.startsWith("image/") || others.test(file.name);

/** chosen are the files of an input element, with their folders where a folder was chosen. */
export function chosen(files: Iterable<File>): Given[] {
  return [...files].map((file) => ({ file, folder: parent(file.webkitRelativePath) }));
}

/** dropped are the files of a drop, those in dropped folders too. It has to be called while the event lasts. */
export async function dropped(transfer: DataTransfer): Promise<Given[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return chosen(transfer.files);
  const given: Given[] = [];
  for (const entry of entries) await collect(entry, given);
  return given;
}

async function collect(entry: FileSystemEntry, given: Given[]): Promise<void> {
  if (entry.name.startsWith(".")) return; // what systems keep for themselves
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    given.push({ file, folder: parent(entry.fullPath) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A browser gives some of a folder at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await collect(each, given);
  }
}

/** parent is the folder of a relative path. */
export const parent = (path: string): string => path.replace(/^\/+/, "").split("/").slice(0, -1).join("/");
