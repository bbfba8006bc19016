package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/internal/folders"
)

// checkCluster looks at the settings of a library on several machines, at its store, and at
// what this machine keeps of it.
func (d *doctor) checkCluster(ctx context.Context) {
	where, err := settings.Read(d.cluster)
	if err != nil {
		d.fail("cluster", err, "correct the file")
		return
	}
	d.checkSecrets(where)
	for _, finding := range objects.Examine(ctx, where.Store) {
		d.diagnoses = append(d.diagnoses, Diagnosis{Check: "store: " + finding.Check, Verdict: verdict(finding.Verdict), Detail: finding.Detail, Remedy: finding.Remedy})
	}
	d.checkEngine(ctx)
	if where.Cache.Size == 0 {
		d.ok("store: cache", "none: everything is read from the store each time")
		return
	}
	folder, err := folders.CacheOr(where.Cache.Folder, "cluster")
	if err == nil {
		err = writable(folder)
	}
	if err != nil {
		d.fail("store: cache", err, "choose a folder that you may write to with cache.folder")
		return
	}
	d.checkRoom("store: cache", folder, fmt.Sprintf(", %s at most", where.Cache.Size))
}

// checkEngine looks at the engine, its nodes, and whether the library is there.
func (d *doctor) checkEngine(ctx context.Context) {
	options, where, err := d.app.ClusterParts()
	if err != nil {
		d.fail("engine", err, "correct the file")
		return
	}
	defer options.Engine.Close()
	asking, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	version, err := options.Engine.Check(asking)
	if err != nil {
		d.fail("engine", err, "make sure that Weaviate runs and can be reached at the addresses of the settings")
		return
	}
	nodes, err := options.Engine.Nodes(asking)
	if err != nil {
		d.fail("engine", err, "look into the logs of the engine")
		return
	}
	healthy := 0
	for _, node := range nodes {
		if node.Healthy() {
			healthy++
		}
	}
	switch {
	case healthy < len(nodes):
		d.warn("engine", "bring the node back: until then, one more may not be lost", "Weaviate %s: %d of %d nodes are healthy", version, healthy, len(nodes))
	case len(nodes) < where.Engine.Replication:
		d.fail("engine", fmt.Errorf("%d nodes cannot hold %d copies", len(nodes), where.Engine.Replication), "start more nodes, or lower engine.replication in the settings")
		return
	default:
		d.ok("engine", "Weaviate %s: %s", version, cli.Counted(len(nodes), "healthy node", "healthy nodes"))
	}
	library, err := cluster.Open(ctx, options)
	if err != nil {
		d.fail("cluster: library", err, "mekiki cluster init")
		return
	}
	defer library.Close()
	reader, err := library.Reader(ctx)
	if err != nil {
		d.fail("cluster: library", err, "mekiki cluster init, and then mekiki cluster rebuild, make and fill the engine's collection")
		return
	}
	defer reader.Close()
	d.ok("cluster: library", "%s, %s", cli.Counted(reader.Count(index.KindImage), "image", "images"), cli.Counted(reader.Count(index.KindText), "text", "texts"))
}

// checkSecrets warns of a file with secrets that everybody may read.
func (d *doctor) checkSecrets(where settings.Cluster) {
	path, err := filepath.Abs(where.Path)
	if err != nil {
		path = where.Path
	}
	stat, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && stat.Mode().Perm()&0o004 != 0 && where.SecretsInFile {
		d.warn("cluster", "chmod 600 "+path, "%s has secrets, and everybody may read it", path)
		return
	}
	d.ok("cluster", "%s: engine at %s, store at %s", path, where.Engine.Addresses[0], where.Store.Address)
}
