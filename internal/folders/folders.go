// Package folders says where Mekiki keeps its files on this machine.
package folders

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Environment variables that override the platform's folders.
const (
	CacheVariable   = "MEKIKI_CACHE"
	LibraryVariable = "MEKIKI_LIBRARY"
	ConfigVariable  = "MEKIKI_CONFIG"
)

// Cache returns the folder for what can be made again: the ONNX Runtime library
// (runtime/), downloads and compiled models (models/). It is $MEKIKI_CACHE, else
// mekiki under the platform's cache folder. The folder need not exist.
func Cache() (string, error) {
	if folder := os.Getenv(CacheVariable); folder != "" {
		return filepath.Abs(folder)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder (set %s to choose one): %w", CacheVariable, err)
	}
	return filepath.Join(base, "mekiki"), nil
}

// CacheOr returns a folder that was given, as an absolute path, or else the one of a
// name in the cache.
func CacheOr(given, name string) (string, error) {
	if given == "" {
		cache, err := Cache()
		if err != nil {
			return "", err
		}
		given = filepath.Join(cache, name)
	}
	absolute, err := filepath.Abs(given)
	if err != nil {
		return "", fmt.Errorf("folder %s: %w", name, err)
	}
	return absolute, nil
}

// Library returns the folder of the user's library: $MEKIKI_LIBRARY, else
// mekiki/library under the platform's folder for a user's data (XDG_DATA_HOME on
// Linux, Application Support on macOS, LocalAppData on Windows).
func Library() (string, error) {
	if folder := os.Getenv(LibraryVariable); folder != "" {
		return filepath.Abs(folder)
	}
	base, err := data()
	if err != nil {
		return "", fmt.Errorf("find the data folder (set %s to choose one): %w", LibraryVariable, err)
	}
	return filepath.Join(base, "mekiki", "library"), nil
}

// Config returns the path of the configuration file: $MEKIKI_CONFIG, else
// mekiki/config.toml under the platform's configuration folder. The file need
// not exist.
func Config() (string, error) {
	if file := os.Getenv(ConfigVariable); file != "" {
		return filepath.Abs(file)
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration folder (set %s to choose a file): %w", ConfigVariable, err)
	}
	return filepath.Join(base, "mekiki", "config.toml"), nil
}

func data() (string, error) {
	switch runtime.GOOS {
	case "windows":
		if folder := os.Getenv("LocalAppData"); folder != "" {
			return folder, nil
		}
		return "", errors.New("LocalAppData is not set")
	case "darwin":
		home, err := os.UserHomeDir()
		return filepath.Join(home, "Library", "Application Support"), err
	}
	if folder := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(folder) {
		return folder, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}
