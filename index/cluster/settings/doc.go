// Package settings reads the one file that says where a library on several machines lies:
// the engine (Weaviate), the store (S3), the cache of this machine. [Example] is such a
// file. Any key can be set in the environment instead, for instance store.secret-key as
// MEKIKI_CLUSTER_STORE_SECRET_KEY, and the environment overrides the file.
//
//	cluster, err := settings.Read("cluster.toml")
//	... cluster.Store.Bucket
package settings
