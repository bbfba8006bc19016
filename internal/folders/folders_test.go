package folders

import (
	"path/filepath"
	"testing"
)

func TestVariablesOverride(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(CacheVariable, dir)
	t.Setenv(LibraryVariable, filepath.Join(dir, "library"))
	t.Setenv(ConfigVariable, filepath.Join(dir, "config.toml"))
	tests := []struct {
		name string
		find func() (string, error)
		want string
	}{
		{"cache", Cache, dir},
		{"library", Library, filepath.Join(dir, "library")},
		{"config", Config, filepath.Join(dir, "config.toml")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.find()
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestDefaultsEndInMekiki(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{CacheVariable, LibraryVariable, ConfigVariable, "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", home)
	t.Setenv("AppData", home)
	library, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(filepath.Dir(library)); got != "mekiki" {
		t.Errorf("library %q is not inside a folder named mekiki", library)
	}
	cache, err := Cache()
	if err != nil || filepath.Base(cache) != "mekiki" {
		t.Errorf("cache = %q, %v", cache, err)
	}
}
