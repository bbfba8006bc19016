//go:build unix

package handover

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAnotherUser: a user who may read the library, but is not the server's, learns that there is a server and not its
// secret.
func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		if folder := os.Getenv("MEKIKI_TEST_HANDOVER"); folder != "" {
			if _, err := Find(folder); !errors.Is(err, ErrForeign) {
				t.Errorf("found %v", err)
			}
			return
		}
		t.Skip("only root can be two users")
	}
	folder := published(t)
	for at := folder; at != filepath.Dir(at) && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(folder, "test")
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, data, 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), copied, "-test.run=^TestAnotherUser$", "-test.v")
	command.Dir = folder
	command.Env = []string{"MEKIKI_TEST_HANDOVER=" + folder, "TMPDIR=" + os.TempDir()}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if output, err := command.CombinedOutput(); err != nil || strings.Contains(string(output), "SKIP") {
		t.Errorf("%v\n%s", err, output)
	}
}
