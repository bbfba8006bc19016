"""Recall and time of hnswlib and FAISS on the vectors that BenchmarkRecall reads or dumps.

    pip install numpy hnswlib faiss-cpu
    python peers.py /data/hard 16 hnswlib
    python peers.py /data/hard 16 faiss-hnsw --effort 400 1600
    python peers.py /data/hard 16 faiss-ivf --images 4000

Reads the float32 rows of images, so many parts each, from /data/hard.parts.f32 and the
queries from /data/hard.texts.f32. Every part is a vector of the peer's index; an image
is found when one of its parts is. With hnswlib-means an image is one vector, the mean of
its parts, of length one; as many images as the effort says are then scored exactly, which
is not in the times. With hnswlib-representatives it is up to eight. The truth is the image's largest dot product, in
float32. Built indexes and the truth are kept beside the vectors. Times are of the
processor, of one thread. Development only: nothing else needs it.
"""

import argparse, os, time
import faiss, hnswlib
import numpy as np

WIDTH, QUERIES, CONNECTIONS, CONSTRUCTION = 256, 200, 16, 100


def load(name, parts, images):
    rows = np.memmap(name + ".parts.f32", "f4", "r").reshape(-1, WIDTH)
    images = min(images or len(rows) // parts, len(rows) // parts)
    texts = np.fromfile(name + ".texts.f32", "f4").reshape(-1, WIDTH)
    texts = texts[[i * len(texts) // min(len(texts), QUERIES) for i in range(min(len(texts), QUERIES))]]
    return rows[: images * parts], images, texts


def nearest(rows, images, parts, texts, k):
    """The k images of the largest dot product, for each text, the best first."""
    scores = np.empty((len(texts), images), "f4")
    for first in range(0, images, 2000):
        block = rows[first * parts : (first + 2000) * parts]
        scores[:, first : first + 2000] = (texts @ block.T).reshape(len(texts), -1, parts).max(2)
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


class Hnswlib:
    efforts = [20, 50, 100, 200, 400, 800, 1600, 3200, 6400]

    def build(self, rows, file):
        self.index = hnswlib.Index("ip", WIDTH)
        if os.path.exists(file):
            return self.index.load_index(file, max_elements=len(rows))
        self.index.init_index(len(rows), M=CONNECTIONS, ef_construction=CONSTRUCTION)
        for first in range(0, len(rows), 20000):
            self.index.add_items(rows[first : first + 20000], np.arange(first, min(first + 20000, len(rows))))
            print(f"{first} of {len(rows)} after {time.process_time():.0f} s of processor", flush=True)
        self.index.save_index(file)

    def search(self, query, effort, asked):
        self.index.set_num_threads(1)
        self.index.set_ef(effort)
        return self.index.knn_query(query, k=min(effort, asked))[0][0]


class HnswlibMeans(Hnswlib):
    efforts = [50, 100, 200, 400, 800, 1600, 3200, 6400]

    def __init__(self, parts):
        self.parts = parts

    def build(self, rows, file):
        Hnswlib.build(self, rows[: len(rows) // self.parts] if os.path.exists(file) else self.means(rows), file)

    def means(self, rows):
        means = np.empty((len(rows) // self.parts, WIDTH), "f4")
        for first in range(0, len(means), 10000):
            block = rows[first * self.parts : (first + 10000) * self.parts].reshape(-1, self.parts, WIDTH).mean(1)
            means[first : first + 10000] = block / np.linalg.norm(block, axis=1, keepdims=True)
        return means

    def search(self, query, effort, asked):
        return Hnswlib.search(self, query, effort, effort)


class HnswlibRepresentatives(Hnswlib):
    """A graph of up to eight representatives of each image: means of its parts, beginning with
    the part that is farthest from its mean, until every part has a cosine of 0.9 with its own."""

    efforts = [50, 100, 200, 400, 800, 1600, 3200]

    def __init__(self, parts, most=8, cosine=0.9):
        self.parts, self.most, self.cosine = parts, most, cosine

    def build(self, rows, file):
        if os.path.exists(file):
            self.owners = np.load(file + ".owners.npy")
            return Hnswlib.build(self, self.owners, file)
        nodes, owners = [], []
        for image in range(len(rows) // self.parts):
            found = self.represent(np.asarray(rows[image * self.parts : (image + 1) * self.parts]))
            nodes.append(found)
            owners += [image] * len(found)
        self.owners = np.array(owners)
        np.save(file + ".owners.npy", self.owners)
        Hnswlib.build(self, np.concatenate(nodes), file)

    def represent(self, parts):
        means = parts.mean(0, keepdims=True)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        while True:
            scores = parts @ means.T
            own = scores.max(1)
            if len(means) == self.most or own.min() >= self.cosine:
                return means
            means = np.concatenate([means, parts[own.argmin()][None]])
            for _ in range(3):
                nearest = (parts @ means.T).argmax(1)
                means = np.stack([parts[nearest == i].mean(0) if (nearest == i).any() else means[i] for i in range(len(means))])
                means /= np.linalg.norm(means, axis=1, keepdims=True)

    def search(self, query, effort, asked):
        return Hnswlib.search(self, query, effort, effort)


class Faiss:
    def build(self, rows, file):
        if os.path.exists(file):
            self.index = faiss.read_index(file)
            return
        self.make(rows)
        for first in range(0, len(rows), 20000):
            self.index.add(np.ascontiguousarray(rows[first : first + 20000]))
        faiss.write_index(self.index, file)


class FaissHnsw(Faiss):
    efforts = Hnswlib.efforts

    def make(self, rows):
        self.index = faiss.IndexHNSWSQ(WIDTH, faiss.ScalarQuantizer.QT_8bit, CONNECTIONS, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = CONSTRUCTION
        self.index.train(np.ascontiguousarray(rows[:100000]))

    def search(self, query, effort, asked):
        self.index.hnsw.efSearch = effort
        return self.index.search(query, min(effort, asked))[1][0]


class FaissIVF(Faiss):
    efforts = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]

    def make(self, rows):
        """Finds cells by a graph of their centres where they are many, as FAISS advises."""
        cells = int(4 * len(rows) ** 0.5)
        graph = "_HNSW32" if len(rows) > 1_000_000 else ""
        self.index = faiss.index_factory(WIDTH, f"IVF{cells}{graph},SQ8", faiss.METRIC_INNER_PRODUCT)
        if graph:
            faiss.downcast_index(self.index.quantizer).hnsw.efSearch = 64
        self.index.cp.niter = 8
        self.index.train(np.ascontiguousarray(rows[: 40 * cells]))

    def search(self, query, effort, asked):
        self.index.nprobe = effort
        return self.index.search(query, asked)[1][0]


def measure(peer, effort, texts, parts, truth, k):
    """Asks for 32 parts for each image wanted, as several parts of an image may be near."""
    times, recall = [], 0.0
    for query, want in zip(texts, truth):
        start = time.thread_time()
        found = peer.search(query[None], effort, 32 * k)
        times.append(1e3 * (time.thread_time() - start))
        if isinstance(peer, HnswlibMeans):  # scored exactly, those that are wanted come first
            images = found.tolist()
        elif isinstance(peer, HnswlibRepresentatives):
            images = peer.owners[found.astype(int)].tolist()
        else:
            images = list(dict.fromkeys((found[found >= 0].astype(int) // parts).tolist()))[:k]
        recall += len(set(images) & set(want[:k].tolist())) / k / len(texts)
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return f"k {k}, effort {effort}: recall {recall:.4f}, p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def main():
    peers = {"hnswlib": Hnswlib, "hnswlib-means": lambda: HnswlibMeans(options.parts), "hnswlib-representatives": lambda: HnswlibRepresentatives(options.parts), "faiss-hnsw": FaissHnsw, "faiss-ivf": FaissIVF}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("parts", type=int)
    parser.add_argument("peer", choices=peers)
    parser.add_argument("--images", type=int)
    parser.add_argument("--effort", type=int, nargs="*", help="ef, or cells looked at")
    options = parser.parse_args()
    rows, images, texts = load(options.name, options.parts, options.images)
    beside = f"{options.name}.{images}"
    if not os.path.exists(beside + ".truth.npy"):
        np.save(beside + ".truth.npy", nearest(rows, images, options.parts, texts, 100))
    truth = np.load(beside + ".truth.npy")
    peer, file = peers[options.peer](), f"{beside}.{options.peer}"
    built, start, wall = os.path.exists(file), time.process_time(), time.time()
    peer.build(rows, file)
    took = "read" if built else f"built in {time.process_time() - start:.0f} s of processor, {time.time() - wall:.0f} s"
    print(f"{options.peer}, {images} images of {options.parts} parts, {took}, {os.path.getsize(file) / images:.0f} bytes an image", flush=True)
    faiss.omp_set_num_threads(1)
    for k in (10, 100):
        for effort in options.effort or peer.efforts:
            print(measure(peer, effort, texts, options.parts, truth, k), flush=True)


if __name__ == "__main__":
    main()
