package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"mekiki/internal/hint"
)

// Candidate is a library file that may be loaded.
type Candidate struct {
	Path   string // absolute
	Source string // "option", the environment variable's name, "system" or "cache"
}

// Find returns the library files that exist, in the order in which Open tries
// them: the one that options name, the one that the environment names, those in
// the usual system folders, the installed one. A named file that does not exist
// is an error. An empty answer is not.
func Find(options Options) ([]Candidate, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if options.LibraryPath != "" {
		return named(options.LibraryPath, "option")
	}
	if path := os.Getenv(LibraryVariable); path != "" {
		return named(path, LibraryVariable)
	}
	var found []Candidate
	for _, folder := range systemFolders() {
		for _, name := range libraryNames(runtime.GOOS) {
			path := filepath.Join(folder, name)
			if isFile(path) {
				found = append(found, Candidate{Path: path, Source: "system"})
				break
			}
		}
	}
	if path, ok := installed(options); ok {
		found = append(found, Candidate{Path: path, Source: "cache"})
	}
	return found, nil
}

func named(path, source string) ([]Candidate, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("library path: %w", err)
	}
	if !isFile(absolute) {
		return nil, hint.Wrap(fmt.Errorf("%w: %s (from %s) is not a file", ErrNotInstalled, path, source),
			"give the path of the ONNX Runtime shared library itself, or leave it out to have one installed")
	}
	return []Candidate{{Path: absolute, Source: source}}, nil
}

// libraryNames returns the file names that a system installation uses.
func libraryNames(system string) []string {
	switch system {
	case "windows":
		return []string{"onnxruntime.dll"}
	case "darwin":
		return []string{"libonnxruntime.dylib", "libonnxruntime.1.dylib"}
	}
	return []string{"libonnxruntime.so", "libonnxruntime.so.1"}
}

// systemFolders returns where a system installation would be: beside the program,
// then the linker's folders. On Windows the system folder is left out on purpose,
// since Windows ships an old library of the same name there.
func systemFolders() []string {
	var folders []string
	if program, err := os.Executable(); err == nil {
		folders = append(folders, filepath.Dir(program))
	}
	switch runtime.GOOS {
	case "windows":
		return folders
	case "darwin":
		folders = append(folders, filepath.SplitList(os.Getenv("DYLD_LIBRARY_PATH"))...)
		return append(folders, "/opt/homebrew/lib", "/usr/local/lib")
	}
	folders = append(folders, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	folders = append(folders, "/usr/local/lib", "/usr/lib64", "/usr/lib")
	switch runtime.GOARCH {
	case "amd64":
		folders = append(folders, "/usr/lib/x86_64-linux-gnu")
	case "arm64":
		folders = append(folders, "/usr/lib/aarch64-linux-gnu")
	}
	return append(folders, "/opt/onnxruntime/lib")
}
