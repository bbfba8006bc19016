package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/crew"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/ingest/captioning"
	"mekiki/index/local"
	"mekiki/internal/hint"
)

// Library is a library on a disk of this machine, or on a cluster.
type Library interface {
	index.Library
	// Decoder reads the originals.
	Decoder() *pixels.Decoder
	// Kept lists what is kept of pictures without files, by path.
	Kept() ([]index.Kept, error)
	// DerivedFolder is a folder of this machine for what may be deleted at any time.
	DerivedFolder() string
	Close() error
}

var _ Library = (*local.Library)(nil)

// OnCluster is a library on a cluster, with a folder of this machine.
type OnCluster struct {
	*cluster.Library
	folder string
	logger *slog.Logger
}

var _ Library = (*OnCluster)(nil)

var _ captioning.Shared = (*OnCluster)(nil)

// JoinCaptioning implements [captioning.Shared].
func (o *OnCluster) JoinCaptioning(ctx context.Context) (captioning.Crew, error) {
	return crew.Join(ctx, o.Upkeep().Store(), "captions", o.logger)
}

// Uploads keeps the files of uploads in the store.
func (o *OnCluster) Uploads() uploaded.Keeper { return uploaded.Keeper{Store: o.Upkeep().Store()} }

// DerivedFolder implements [Library].
func (o *OnCluster) DerivedFolder() string { return o.folder }

// errNotOnCluster is the error of a verb that works on a library of this machine's disk alone.
var errNotOnCluster = hint.Wrap(errors.New("this works with a library on a disk alone, not with one on a cluster"),
	"leave out --cluster (and MEKIKI_CLUSTER), or see docs/cluster.md for what works there")

// FolderOf is the folder of a library on a disk, or the file of settings of one on a cluster.
func (a *App) FolderOf(library Library) string {
	if located, is := library.(index.Located); is {
		return located.Folder()
	}
	return a.Cluster
}

// ClusterParts opens what the file of settings names: the store, the engine, and how the library lies in them.
func (a *App) ClusterParts() (cluster.Options, settings.Cluster, error) {
	if a.Cluster == "" {
		return cluster.Options{}, settings.Cluster{}, hint.Wrap(UsageError("no cluster is named"), "name its file of settings with --cluster or MEKIKI_CLUSTER")
	}
	where, err := settings.Read(a.Cluster)
	if err != nil {
		return cluster.Options{}, where, err
	}
	store, err := a.openStore(where)
	if err != nil {
		return cluster.Options{}, where, err
	}
	client, err := engine.Open(engine.Options{
		Addresses: where.Engine.Addresses, Key: where.Engine.APIKey.Reveal(), Consistency: strings.ToUpper(string(where.Engine.Consistency)), CAFile: where.Engine.CAFile,
	})
	if err != nil {
		return cluster.Options{}, where, err
	}
	return cluster.Options{
		Store: store, Engine: client, Name: where.Engine.Collection, Shards: where.Engine.Shards, Replicas: where.Engine.Replication,
		Quantisation: engine.Quantisation(where.Engine.Quantisation), Representatives: where.Engine.Representatives, Logger: a.Log(),
	}, where, nil
}

// openStore opens the store behind the cache of this machine.
func (a *App) openStore(where settings.Cluster) (cluster.Store, error) {
	store, err := objects.Open(where.Store)
	if err != nil {
		return nil, err
	}
	folder := where.Cache.Folder
	if folder == "" {
		if folder, err = a.clusterFolder("objects"); err != nil {
			return nil, err
		}
	}
	cache, err := objects.OpenCache(folder, int64(where.Cache.Size), a.Log())
	if err != nil {
		return nil, explainCache(err)
	}
	return objects.NewCached(store, cache, form.Unchanging), nil
}

// clusterFolder is a folder in the cache for libraries on clusters.
func (a *App) clusterFolder(name string) (string, error) {
	cache, err := a.CacheFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "cluster", name), nil
}

// OpenCluster opens the library that --cluster names.
func (a *App) OpenCluster(ctx context.Context) (*OnCluster, error) {
	options, where, err := a.ClusterParts()
	if err != nil {
		return nil, err
	}
	folder, err := a.clusterFolder(where.Engine.Collection)
	if err != nil {
		return nil, err
	}
	library, err := cluster.Open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open the library of %s: %w", a.Cluster, err)
	}
	return &OnCluster{Library: library, folder: folder, logger: a.Log()}, nil
}

// withCluster opens the library that --cluster names, calls do and closes it.
func (a *App) withCluster(ctx context.Context, do func(Library) error) error {
	library, err := a.OpenCluster(ctx)
	if err != nil {
		return err
	}
	return joinErrors(do(library), library.Close())
}

// WithAnyLibrary is [App.WithExistingLibrary] for a verb that works on a cluster too.
func (a *App) WithAnyLibrary(ctx context.Context, readOnly bool, do func(Library) error) error {
	if a.Cluster != "" {
		return a.withCluster(ctx, do)
	}
	return a.WithExistingLibrary(ctx, readOnly, func(library *local.Library) error { return do(library) })
}
