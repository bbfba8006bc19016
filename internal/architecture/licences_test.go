package architecture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
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

// carried says what lies in the source tree under a licence of its own: the licence's
// file, and what it is.
var carried = map[string]string{
	"embed/pixels/heif/LICENSE.libheif":           "libheif 1.18.2, compiled to WebAssembly in embed/pixels/heif/heif.wasm.gz",
	"embed/pixels/heif/LICENSE.libde265":          "libde265 1.0.15, compiled to WebAssembly in embed/pixels/heif/heif.wasm.gz",
	"embed/pixels/heif/LICENSE.heic":              "github.com/gen2brain/heic v0.4.5, whose build of libheif and libde265 embed/pixels/heif/heif.wasm.gz is",
	"embed/pixels/avif/LICENSE.libavif":           "libavif 1.1.1, compiled to WebAssembly in embed/pixels/avif/avif.wasm.gz",
	"embed/pixels/avif/LICENSE.aom":               "libaom 3.10.0, compiled to WebAssembly in embed/pixels/avif/avif.wasm.gz",
	"embed/pixels/avif/LICENSE.libyuv":            "libyuv, compiled to WebAssembly in embed/pixels/avif/avif.wasm.gz",
	"embed/pixels/avif/LICENSE.avif":              "github.com/gen2brain/avif v0.4.4, whose build of libavif, libaom and libyuv embed/pixels/avif/avif.wasm.gz is (lib/decode.wasm.gz there)",
	"embed/pixels/jxl/LICENSE.libjxl":             "libjxl 0.11.0, compiled to WebAssembly in embed/pixels/jxl/jxl.wasm.gz",
	"embed/pixels/jxl/LICENSE.highway":            "Highway, compiled to WebAssembly in embed/pixels/jxl/jxl.wasm.gz",
	"embed/pixels/jxl/LICENSE.jpegxl":             "github.com/gen2brain/jpegxl v0.4.5, whose build of libjxl embed/pixels/jxl/jxl.wasm.gz is (lib/decode.wasm.gz there)",
	"ui/page/licences/LICENSE.svelte":             "svelte 5.57.3, of which parts are in the built page (ui/dist)",
	"ui/page/licences/LICENSE.clsx":               "clsx 2.1.1, in the built page (ui/dist)",
	"ui/page/licences/LICENSE.esm-env":            "esm-env 1.2.2, in the built page (ui/dist)",
	"ui/page/licences/LICENSE.eventsource-parser": "eventsource-parser 3.1.1, in the built page (ui/dist)",
	"embed/tokenize/wordpiece/LICENSE.bert":       "vocab.txt of bert-base-uncased, in embed/tokenize/wordpiece/bert.txt.gz; the built-in model's is a cut of it",
}

// relinking is what LGPL-3.0, section 4, asks to be said.
const relinking = `libheif and libde265 are free software under the GNU Lesser General Public License, version 3; their sources are at
https://github.com/strukturag/libheif and https://github.com/strukturag/libde265, and what makes the WebAssembly module of
them at https://github.com/gen2brain/heic. To use other versions, replace embed/pixels/heif/heif.wasm.gz and build again.
`

// TestThirdPartyLicences keeps THIRD_PARTY_LICENSES.md equal to what is built
// into the program: every module with its version and the text of its licence,
// and what the source tree carries.
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
	for _, one := range carriedLicences(t) {
		writeLicence(&page, carried[one], readFile(t, filepath.Join("../..", one)))
		if strings.HasSuffix(one, "LICENSE.libheif") {
			page.WriteString("\n" + relinking)
		}
	}
	for _, one := range groups {
		writeLicence(&page, strings.Join(one.modules, ", "), one.text)
	}
	return page.Bytes()
}

func writeLicence(page *bytes.Buffer, title, text string) {
	fmt.Fprintf(page, "\n## %s\n\n", title)
	for line := range strings.Lines(text) {
		fmt.Fprintf(page, "    %s\n", strings.TrimRight(line, " \t\r\n"))
	}
}

// carriedLicences finds the licences in the source tree, beside the project's own.
func carriedLicences(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != "../.." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasPrefix(name, "LICENSE.") && filepath.Ext(name) != ".md" && !entry.IsDir() {
			relative, err := filepath.Rel("../..", path)
			if err != nil {
				return err
			}
			found = append(found, filepath.ToSlash(relative))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if carried[path] == "" {
			t.Errorf("%s: the list does not say what it is the licence of", path)
		}
	}
	if len(found) != len(carried) {
		t.Errorf("found %v, the list has %d", found, len(carried))
	}
	return found
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
			return readFile(t, filepath.Join(one.Dir, entry.Name()))
		}
	}
	t.Errorf("%s %s has no licence file: may it be used?", one.Path, one.Version)
	return "no licence file"
}
