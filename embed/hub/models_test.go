package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseRequests(t *testing.T) {
	environment := Environment{Endpoint: "https://mirror.example/hf", LavisEndpoint: "https://lavis.example/files"}
	for _, test := range []struct {
		names  []string
		folder string
		want   []request
	}{
		{[]string{"blip2-vit-l"}, "blip2-vit-l", []request{
			{repository: vocabularyRepository, revision: "main", only: "vocab.txt"},
			{address: "https://lavis.example/files/blip2_pretrained_vitL.pth"}, {address: "https://lavis.example/files/clip_vit_L.pth"},
		}},
		{[]string{"blip2-itm-vit-g-coco"}, "blip2-itm-vit-g-coco", []request{{repository: "Salesforce/blip2-itm-vit-g-coco", revision: "main"}}},
		{[]string{"me/tuned@v1.0"}, "tuned", []request{{repository: "me/tuned", revision: "v1.0"}}},
		{[]string{"https://mirror.example/hf/me/tuned"}, "tuned", []request{{repository: "me/tuned", revision: "main"}}},
		{[]string{"https://mirror.example/hf/me/tuned/tree/refs/pr/6"}, "tuned", []request{{repository: "me/tuned", revision: "refs/pr/6"}}},
		{[]string{"https://mirror.example/hf/me/tuned/resolve/main/a.pth?download=1"}, "a",
			[]request{{address: "https://mirror.example/hf/me/tuned/resolve/main/a.pth?download=1"}}},
		{[]string{"http://x.example/a.pth", "http://x.example/b.pth"}, "a", []request{{address: "http://x.example/a.pth"}, {address: "http://x.example/b.pth"}}},
	} {
		requests, folder, err := parseRequests(environment, test.names)
		if err != nil || folder != test.folder {
			t.Errorf("%q: folder %q, %v", test.names, folder, err)
		}
		if diff := cmp.Diff(test.want, requests, cmp.AllowUnexported(request{})); diff != "" {
			t.Errorf("%q (-expected +parsed):\n%s", test.names, diff)
		}
	}
	for _, name := range []string{
		"", "blip3", "../../etc/passwd", "a/b/c", "a/../b", "me/tuned@../x", "ftp://x.example/a", "https://x.example/", "https://x.example/..",
		"https://x.example/pull.json", "https://x.example/a.part", "file:///etc/passwd", "a b/c", "me/tuned@-x",
	} {
		if requests, _, err := parseRequests(environment, []string{name}); err == nil {
			t.Errorf("%q was taken as %+v", name, requests)
		}
	}
	if _, _, err := parseRequests(environment, nil); err == nil {
		t.Error("no names were accepted")
	}
}

// TestLicences wants every published model to have a licence, and terms where it is not free.
func TestLicences(t *testing.T) {
	restricted := map[string]bool{}
	for _, model := range Models() {
		if model.Licence.Name == "" || !strings.HasPrefix(model.Licence.Address, "https://") || model.ApproximateBytes <= 0 || (model.ImageSize <= 0) != (model.Translates || model.Words) {
			t.Errorf("%+v", model)
		}
		restricted[model.Name] = model.Licence.Restricted()
	}
	for name, want := range map[string]bool{"blip2": false, "blip2-flan-t5-xl": false, "blip2-flan-t5-xxl": false, "blip2-opt-2.7b": true,
		"blip2-opt-6.7b-coco": true, "instructblip-vicuna-7b": true} {
		if got, ok := restricted[name]; !ok || got != want {
			t.Errorf("%s: restricted %t, there %t", name, got, ok)
		}
	}
	found := Named([]string{"me/tuned", "Salesforce/blip2-opt-2.7b@main", "blip2"})
	if len(found) != 2 || found[0].Name != "blip2-opt-2.7b" || found[1].Name != "blip2" {
		t.Errorf("%+v", found)
	}
}

func TestEnvironment(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "token"), []byte("hf_from_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		variables map[string]string
		want      Environment
	}{
		{map[string]string{"HF_HOME": home}, Environment{
			Endpoint: DefaultEndpoint, LavisEndpoint: DefaultLavisEndpoint, Token: "hf_from_file", CacheDir: filepath.Join(home, "hub"),
		}},
		{map[string]string{
			"HF_HOME": home, "HF_TOKEN": "hf_set", "HF_ENDPOINT": "https://mirror.example/", "HF_HUB_CACHE": "/c", "HF_HUB_OFFLINE": "yes",
			"MEKIKI_LAVIS_ENDPOINT": "http://lavis.example/x/",
		}, Environment{
			Endpoint: "https://mirror.example", LavisEndpoint: "http://lavis.example/x", Token: "hf_set", CacheDir: "/c", Offline: true,
		}},
		{map[string]string{"XDG_CACHE_HOME": "/nowhere", "HF_HUB_OFFLINE": "0"}, Environment{
			Endpoint: DefaultEndpoint, LavisEndpoint: DefaultLavisEndpoint, CacheDir: filepath.FromSlash("/nowhere/huggingface/hub"),
		}},
		{map[string]string{"HF_HOME": home, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, Environment{
			Endpoint: DefaultEndpoint, LavisEndpoint: DefaultLavisEndpoint, CacheDir: filepath.Join(home, "hub"),
		}},
	} {
		environment, err := fromLookup(func(name string) string { return test.variables[name] })
		if err != nil {
			t.Errorf("%v: %v", test.variables, err)
		}
		if diff := cmp.Diff(test.want, environment); diff != "" {
			t.Errorf("%v (-expected +read):\n%s", test.variables, diff)
		}
	}
	for _, variables := range []map[string]string{
		{"HF_ENDPOINT": "huggingface.co"}, {"HF_TOKEN": "two words"}, {"HF_TOKEN": "line\r\nX-Other: 1"}, {"HF_TOKEN_PATH": home},
	} {
		variables["HF_HOME"] = first(variables["HF_HOME"], home)
		if _, err := fromLookup(func(name string) string { return variables[name] }); err == nil {
			t.Errorf("%v was accepted", variables)
		} else if strings.Contains(err.Error(), "two words") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

func TestPartState(t *testing.T) {
	state := partState{Size: 100}
	for _, added := range []span{{40, 50}, {0, 10}, {50, 60}, {5, 12}, {90, 90}} {
		state.add(added)
		if !state.valid() {
			t.Fatalf("not valid: %+v", state.Done)
		}
	}
	if diff := cmp.Diff([]span{{0, 12}, {40, 60}}, state.Done); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]span{{12, 32}, {32, 40}, {60, 80}, {80, 100}}, state.missing(20)); diff != "" {
		t.Error(diff)
	}
	if state.bytes() != 32 {
		t.Errorf("%d bytes", state.bytes())
	}
	empty := partState{}
	if len(empty.missing(10)) != 0 {
		t.Error("an empty file misses something")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "soon": 0, "99999999": 24 * time.Hour,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:03:05 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, expected %v", value, got, want)
		}
	}
}

// FuzzListing reads arbitrary bytes as the hub's answer about a repository; every file chosen must be a plain name.
func FuzzListing(f *testing.F) {
	f.Add([]byte(`{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"config.json","size":3,"blobId":"x"},
		{"rfilename":"model.safetensors","size":9,"lfs":{"sha256":"00","size":9}}]}`))
	f.Add([]byte(`{"siblings":[{"rfilename":"../x.pth"},{"rfilename":"a.pth","size":-1}]}`))
	client, err := New(Options{Environment: &Environment{Endpoint: DefaultEndpoint, LavisEndpoint: DefaultLavisEndpoint}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(client.Close)
	f.Fuzz(func(t *testing.T, data []byte) {
		answer, err := parseListing(data)
		if err != nil {
			return
		}
		files, err := client.filesOf(request{repository: "a/b", revision: "main"}, answer)
		if err != nil {
			return
		}
		for _, file := range files {
			if !plainName(file.name) || filepath.Base(file.name) != file.name || file.size > maximumFile {
				t.Fatalf("chosen file %+v", file)
			}
		}
	})
}

// FuzzContentRange reads arbitrary text as the header of that name.
func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes 5-5/*", "bytes -1-2/3", "bytes 9-1/10"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		start, last, total, err := parseContentRange(value)
		if err == nil && (start < 0 || last < start || total >= 0 && total <= last) {
			t.Fatalf("%q gives %d-%d/%d", value, start, last, total)
		}
	})
}
