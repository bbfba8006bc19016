// Package hnsw finds rows of 8-bit codes with a large dot product with a query: a
// hierarchical navigable small world (Malkov and Yashunin, arXiv 1603.09320).
//
//	layer 2   ◆───────────────◆           a walk begins here, at the first node
//	          │               │
//	layer 1   ◆──────◆────────◆──────◆     one node of 16 is in the layer above
//	          │      │        │      │
//	layer 0   ◆──◆───◆──◆──◆──◆──◆───◆     up to 32 links a node
//
// A walk goes from the best node that it knows to that node's neighbours, and ends when
// it knows ef nodes that are better than every node that it could go on from. Neighbours
// are chosen by diversity (algorithm 4 of the paper): a node is linked only if it is
// nearer to the new one than to any that is linked already.
//
// Links are arrays of uint32 in pages of 16 nodes. A View shares the pages with the Graph
// that it is of, which copies a page before it changes it: a View never changes and takes
// no locks. Nodes are linked in batches (as ParlayANN does: Dobson and others, arXiv
// 2305.04359): the nodes of a batch look for their neighbours in the graph before it, in
// parallel, and are then linked. So the graph depends on the rows and their order alone,
// and not on how many goroutines built it.
package hnsw
