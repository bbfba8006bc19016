import { address } from "../address";

// The image that is the query, kept in this browser so that a page which is loaded again has it. Without a database it is lost then,
// and nothing else is.
const name = "mekiki";
const store = "query";
const key = "image";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no database"));
  });
}

async function within<Value>(
  mode: IDBTransactionMode,
  work: (files: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value> {
  const database = await open();
  try {
    return await new Promise<Value>((resolve, reject) => {
      const request = work(database.transaction(store, mode).objectStore(store));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("not kept"));
    });
  } finally {
    database.close();
  }
}

/** keepImages keeps images in place of those before. */
export async function keepImages(kept: readonly File[]): Promise<void> {
  try {
    await within("readwrite", (files) => files.put([...kept], key));
  } catch {
    // It can be given again.
  }
}

/** restoreImage makes the image that was kept the query again, and reports whether there was one. */
export async function restoreImage(): Promise<boolean> {
  try {
    const file: unknown = await within("readonly", (files) => files.get(key) as IDBRequest<unknown>);
    const kept = (Array.isArray(file) ? file : [file]).filter((each) => each instanceof File);
    const [first, ...more] = kept;
    if (!first) return false;
    address.hold(first, ...more);
    return true;
  } catch {
    return false;
  }
}
