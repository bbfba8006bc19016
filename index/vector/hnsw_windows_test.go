package vector

// coder/hnsw does not build on Windows.
var hnswSearchers []searcherCase
