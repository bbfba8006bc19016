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

/** keepImage keeps an image in place of the one before. */
export async function keepImage(file: File): Promise<void> {
  try {
    await within("readwrite", (files) => files.put(file, key));
  } catch {
    // It can be given again.
  }
}

/** restoreImage makes the image that was kept the query again, and reports whether there was one. */
export async function restoreImage(): Promise<boolean> {
  try {
    const file: unknown = await within("readonly", (files) => files.get(key) as IDBRequest<unknown>);
    if (!(file instanceof File)) return false;
    address.hold(file);
    return true;
  } catch {
    return false;
  }
}
