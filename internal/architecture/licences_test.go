package architecture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const licencesFile = "../../THIRD_PARTY_LICENSES.md"

type dependency struct {
	Path, Version, Dir string
}

// TestThirdPartyLicences keeps THIRD_PARTY_LICENSES.md equal to what is built
// into the program: every module with its version and the text of its licence.
// Write it anew with: go test ./internal/architecture -run Licences -update.
func TestThirdPartyLicences(t *testing.T) {
	page := licencePage(t, dependencies(t))
	if *update {
		if err := os.WriteFile(licencesFile, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(licencesFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, page) {
		t.Error("THIRD_PARTY_LICENSES.md is stale; run: go test ./internal/architecture -run Licences -update")
	}
}

func dependencies(t *testing.T) []dependency {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/mekiki")
	command.Dir = "../.."
	command.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-mod=readonly")
	output, err := command.Output()
	if err != nil {
		t.Fatalf("list dependencies: %v", err)
	}
	found := map[string]dependency{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var listed struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if listed.Module != nil && !listed.Module.Main {
			found[listed.Module.Path] = dependency{listed.Module.Path, listed.Module.Version, listed.Module.Dir}
		}
	}
	var list []dependency
	for _, one := range found {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b dependency) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

func licencePage(t *testing.T, list []dependency) []byte {
	t.Helper()
	type group struct {
		text    string
		modules []string
	}
	var groups []*group
	byText := map[string]*group{}
	for _, one := range list {
		text := licenceText(t, one)
		key := strings.Join(strings.Fields(text), " ")
		if byText[key] == nil {
			byText[key] = &group{text: text}
			groups = append(groups, byText[key])
		}
		byText[key].modules = append(byText[key].modules, one.Path+" "+one.Version)
	}
	var page bytes.Buffer
	page.WriteString("# Third-party licences\n\nWhat is built into the program besides its own code. The built-in model and gallery have theirs in\n`embed/builtin/LICENSES.md`. ONNX Runtime, which is installed on first use, is under the MIT licence.\n")
	for _, one := range groups {
		fmt.Fprintf(&page, "\n## %s\n\n", strings.Join(one.modules, ", "))
		for line := range strings.Lines(one.text) {
			fmt.Fprintf(&page, "    %s\n", strings.TrimRight(line, " \t\r\n"))
		}
	}
	return page.Bytes()
}

func licenceText(t *testing.T, one dependency) string {
	t.Helper()
	entries, err := os.ReadDir(one.Dir)
	if err != nil {
		t.Fatalf("%s: %v", one.Path, err)
	}
	for _, entry := range entries {
		name := strings.ToLower(entry.Name())
		if strings.HasPrefix(name, "license") || strings.HasPrefix(name, "licence") || strings.HasPrefix(name, "copying") {
			text, err := os.ReadFile(filepath.Join(one.Dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	t.Errorf("%s %s has no licence file: may it be used?", one.Path, one.Version)
	return "no licence file"
}
