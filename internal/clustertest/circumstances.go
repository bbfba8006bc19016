package clustertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/internal/diskspace"
)

// Circumstances are what nodes of a cluster may have to live with. They need Linux and the
// rights of its administrator.
type Circumstances struct {
	// Apart gives each node a network namespace, and so a link that [Cluster.Cut] cuts.
	Apart bool
	// DiskMiB bounds the disk of nodes, by number.
	DiskMiB map[int]int
}

// moveApart gives a node a network of its own, which a bridge joins with the others' and this one.
func (c *Cluster) moveApart(tb testing.TB, n *node, i int) {
	tb.Helper()
	mark := fmt.Sprint(os.Getpid() % 100_000)
	bridge, link, inside, space := "mkb"+mark, fmt.Sprintf("mkl%s%d", mark, i), fmt.Sprintf("mki%s%d", mark, i), fmt.Sprintf("mk%s-%d", mark, i)
	if i == 0 {
		administer(tb, "ip link add "+bridge+" type bridge")
		tb.Cleanup(func() { _ = exec.Command("ip", "link", "del", bridge).Run() })
		administer(tb, "ip addr add "+subnet+"1/24 dev "+bridge)
		administer(tb, "ip link set "+bridge+" up")
	}
	administer(tb, "ip netns add "+space)
	tb.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	administer(tb, "ip link add "+link+" type veth peer name "+inside+" netns "+space)
	administer(tb, "ip link set "+link+" master "+bridge+" up")
	n.host = fmt.Sprintf("%s%d", subnet, 10+i)
	for _, command := range []string{"ip addr add " + n.host + "/24 dev " + inside, "ip link set " + inside + " up", "ip link set lo up"} {
		administer(tb, "ip netns exec "+space+" "+command)
	}
	n.within, c.links = []string{"ip", "netns", "exec", space}, append(c.links, link)
}

// administer runs a command of the system's administrator. Where that is not possible the test skips.
func administer(tb testing.TB, command string) {
	tb.Helper()
	words := strings.Fields(command)
	if said, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		tb.Skipf("%s: %v: %s", command, err, said)
	}
}

// Cut takes the network from a node that is apart: nobody reaches it, and it reaches nobody.
func (c *Cluster) Cut(tb testing.TB, i int) {
	tb.Helper()
	administer(tb, "ip link set "+c.links[i]+" down")
}

// Mend gives a node its network again, and waits until it is ready.
func (c *Cluster) Mend(tb testing.TB, i int) {
	tb.Helper()
	administer(tb, "ip link set "+c.links[i]+" up")
	c.awaitReady(tb, i)
}

// smallDisk mounts a disk of some size, in memory, on a folder that it makes.
func smallDisk(tb testing.TB, folder string, mebibytes int) {
	tb.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		tb.Fatal(err)
	}
	administer(tb, fmt.Sprintf("mount -t tmpfs -o size=%dm tmpfs %s", mebibytes, folder))
	tb.Cleanup(func() { _ = exec.Command("umount", "-l", folder).Run() })
}

// FreeMiB is the room that is left on the disk of a node.
func (c *Cluster) FreeMiB(tb testing.TB, i int) int64 {
	tb.Helper()
	free, err := diskspace.Free(filepath.Join(c.nodes[i].folder, "data"))
	if err != nil {
		tb.Fatal(err)
	}
	return free >> 20
}
