package cluster

import "mekiki/index/cluster/objects"

// Store is what this package needs of an object store.
type Store = objects.Store
