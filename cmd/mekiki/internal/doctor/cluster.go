package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/internal/folders"
)

// checkCluster looks at the settings of a library on several machines, at its store, and at
// what this machine keeps of it.
func (d *doctor) checkCluster(ctx context.Context) {
	cluster, err := settings.Read(d.cluster)
	if err != nil {
		d.fail("cluster", err, "correct the file")
		return
	}
	d.checkSecrets(cluster)
	for _, finding := range objects.Examine(ctx, cluster.Store) {
		d.diagnoses = append(d.diagnoses, Diagnosis{Check: "store: " + finding.Check, Verdict: verdict(finding.Verdict), Detail: finding.Detail, Remedy: finding.Remedy})
	}
	if cluster.Cache.Size == 0 {
		d.ok("store: cache", "none: everything is read from the store each time")
		return
	}
	folder, err := folders.CacheOr(cluster.Cache.Folder, "cluster")
	if err == nil {
		err = writable(folder)
	}
	if err != nil {
		d.fail("store: cache", err, "choose a folder that you may write to with cache.folder")
		return
	}
	d.checkRoom("store: cache", folder, fmt.Sprintf(", %s at most", cluster.Cache.Size))
}

// checkSecrets warns of a file with secrets that everybody may read.
func (d *doctor) checkSecrets(cluster settings.Cluster) {
	path, err := filepath.Abs(cluster.Path)
	if err != nil {
		path = cluster.Path
	}
	stat, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && stat.Mode().Perm()&0o004 != 0 && cluster.SecretsInFile {
		d.warn("cluster", "chmod 600 "+path, "%s has secrets, and everybody may read it", path)
		return
	}
	d.ok("cluster", "%s: engine at %s, store at %s", path, cluster.Engine.Addresses[0], cluster.Store.Address)
}
