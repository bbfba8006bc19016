package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mekiki/internal/hint"
)

func TestMain(m *testing.M) {
	if os.Getenv("HUB_TEST_CHILD") != "" {
		pullInChild()
		return
	}
	goleak.VerifyTestMain(m)
}

// putLavis offers the two files of stage 1 and the vocabulary.
func putLavis(t *testing.T, server *testServer) (main, vision, vocabulary []byte) {
	t.Helper()
	main, vision, vocabulary = randomBytes(1, 300_000), randomBytes(2, 1_000_001), []byte("[PAD]\nlow\n")
	server.put("/lavis/blip2_pretrained.pth", main)
	server.put("/lavis/eva_vit_g.pth", vision)
	server.putRepository(t, vocabularyRepository, map[string][]byte{"vocab.txt": vocabulary, "config.json": []byte("{}")})
	return main, vision, vocabulary
}

func TestPullLavisPair(t *testing.T) {
	server := newServer(t)
	main, vision, vocabulary := putLavis(t, server)
	options := testOptions(t, server.environment())
	var mutex sync.Mutex
	var stages []Stage
	var last Progress
	options.Progress = func(progress Progress) {
		mutex.Lock()
		defer mutex.Unlock()
		if len(stages) == 0 || stages[len(stages)-1] != progress.Stage {
			stages = append(stages, progress.Stage)
		}
		if progress.Done > progress.Total {
			t.Errorf("progress %+v", progress)
		}
		last = progress
	}
	client := newClient(t, options)
	result, err := client.Pull(t.Context(), "blip2")
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(result.Dir, "blip2_pretrained.pth"), main)
	wantFile(t, filepath.Join(result.Dir, "eva_vit_g.pth"), vision)
	wantFile(t, filepath.Join(result.Dir, "vocab.txt"), vocabulary)
	wantNoRemains(t, result.Dir)
	total := int64(len(main) + len(vision) + len(vocabulary))
	if result.Downloaded != total || result.Bytes() != total || filepath.Base(result.Dir) != "blip2" {
		t.Errorf("result %+v", result)
	}
	if last.Stage != StageDone || last.Done != total || last.Total != total || stages[0] != StageResolve {
		t.Errorf("stages %v, last %+v", stages, last)
	}
	if result.Files[2].Digest != (Digest{MD5, md5Text(vision)}) || result.Files[0].Digest != (Digest{GitSHA1, gitText(vocabulary)}) {
		t.Errorf("files %+v", result.Files)
	}
	if exists(filepath.Join(result.Dir, "config.json")) {
		t.Error("the configuration of the repository that lends its vocabulary was pulled too")
	}

	before := server.sentBytes("/lavis/eva_vit_g.pth")
	again, err := client.Pull(t.Context(), "blip2")
	if err != nil || again.Downloaded != 0 || server.sentBytes("/lavis/eva_vit_g.pth") != before {
		t.Errorf("second pull: %d bytes, %v", again.Downloaded, err)
	}
	if err := result.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	damaged := slices.Clone(vision)
	damaged[5000]++
	if err := os.WriteFile(filepath.Join(result.Dir, "eva_vit_g.pth"), damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := result.Verify(t.Context()); !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), "eva_vit_g.pth") {
		t.Errorf("a damaged file passes: %v", err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// huggingFace offers a retrieval repository.
func huggingFace(t *testing.T, server *testServer) (repository string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{
		"config.json": []byte(`{"architectures":["Blip2ForImageTextRetrieval"]}`), "preprocessor_config.json": []byte(`{"size":224}`),
		"vocab.txt": []byte("a\n"), "model.safetensors": randomBytes(3, 700_000), "pytorch_model.bin": randomBytes(4, 2000),
	}
	server.putRepository(t, "Salesforce/blip2-itm-vit-g", files)
	return "Salesforce/blip2-itm-vit-g", files
}

// TestTokenStaysAtTheEndpoint redirects every file to another host, as the hub does, and looks at what each is sent.
func TestTokenStaysAtTheEndpoint(t *testing.T) {
	server, storage := newServer(t), newServer(t)
	_, files := huggingFace(t, server)
	var mutex sync.Mutex
	seen := map[string]int{}
	note := func(host string, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		if r.Header.Get("Authorization") == "Bearer hf_secret" {
			seen[host+" with"]++
		} else {
			seen[host+" without"]++
		}
	}
	storage.before = func(w http.ResponseWriter, r *http.Request) bool {
		note("storage", r)
		if strings.HasPrefix(r.URL.Path, "/back") { // and back to the endpoint, where the token is due again
			http.Redirect(w, r, server.URL+strings.TrimPrefix(r.URL.Path, "/back"), http.StatusFound)
			return true
		}
		return false
	}
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		note("endpoint", r)
		if strings.HasSuffix(r.URL.Path, "model.safetensors") {
			http.Redirect(w, r, storage.URL+"/stored?signature=1", http.StatusFound)
			return true
		}
		if strings.HasSuffix(r.URL.Path, "vocab.txt") && r.URL.RawQuery == "" {
			http.Redirect(w, r, storage.URL+"/back/renamed", http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	storage.put("/stored", files["model.safetensors"])
	server.put("/renamed", files["vocab.txt"])
	environment := server.environment()
	environment.Token = "hf_secret"
	result, err := newClient(t, testOptions(t, environment)).Pull(t.Context(), "blip2-itm-vit-g")
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(result.Dir, "model.safetensors"), files["model.safetensors"])
	wantFile(t, filepath.Join(result.Dir, "vocab.txt"), files["vocab.txt"])
	if exists(filepath.Join(result.Dir, "pytorch_model.bin")) {
		t.Error("weights that are not needed were pulled")
	}
	if seen["storage with"] != 0 || seen["storage without"] == 0 || seen["endpoint with"] == 0 || seen["endpoint without"] != 0 {
		t.Errorf("token seen: %v", seen)
	}
}

// TestTokenOfOtherAddresses looks at the token on addresses that are not the endpoint's.
func TestTokenOfOtherAddresses(t *testing.T) {
	client := newClient(t, Options{Environment: &Environment{
		Endpoint: "https://huggingface.co", LavisEndpoint: DefaultLavisEndpoint, Token: "hf_secret",
	}})
	for address, want := range map[string]bool{
		"https://huggingface.co/a/b": true, "http://huggingface.co/a/b": false, "https://cdn.huggingface.co/a": false,
		"https://huggingface.co.evil.org/a": false, "https://huggingface.co:444/a": false, "https://storage.googleapis.com/x": false,
	} {
		request := httptest.NewRequest(http.MethodGet, address, nil)
		client.authorize(request)
		if got := request.Header.Get("Authorization") != ""; got != want {
			t.Errorf("%s: token sent %v, expected %v", address, got, want)
		}
	}
}

func TestRedirectMustNotLoseEncryption(t *testing.T) {
	plain := newServer(t)
	plain.put("/x.pth", randomBytes(1, 100))
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/x.pth", http.StatusFound))
	defer secure.Close()
	options := testOptions(t, plain.environment())
	options.Transport = secure.Client().Transport
	options.Attempts = 1
	_, err := newClient(t, options).Pull(t.Context(), secure.URL+"/x.pth")
	if err == nil || !strings.Contains(err.Error(), "without encryption") {
		t.Errorf("error %v", err)
	}
}

func TestRefusedAnswers(t *testing.T) {
	for _, test := range []struct {
		status   int
		code     string
		want     error
		remedy   string
		requests int
	}{
		{http.StatusUnauthorized, "", ErrDenied, "HF_TOKEN", 1},
		{http.StatusForbidden, "GatedRepo", ErrDenied, "accept the conditions", 1},
		{http.StatusForbidden, "", ErrDenied, "HF_TOKEN", 1},
		{http.StatusNotFound, "RepoNotFound", ErrNotFound, "check the name", 1},
		{http.StatusTooManyRequests, "", nil, "wait a while", 4},
		{http.StatusInternalServerError, "", nil, "", 4},
	} {
		server := newServer(t)
		server.before = func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("X-Error-Code", test.code)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(test.status)
			return true
		}
		_, err := newClient(t, testOptions(t, server.environment())).Pull(t.Context(), "someone/something")
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(hint.Of(err), test.remedy) ||
			!strings.Contains(err.Error(), fmt.Sprint(test.status)) {
			t.Errorf("%d %s: error %v, remedy %q", test.status, test.code, err, hint.Of(err))
		}
		if count := len(server.log()); count != test.requests {
			t.Errorf("%d %s: %d requests, expected %d", test.status, test.code, count, test.requests)
		}
	}
}

// TestSecondStage pulls what a second stage needs: its language model's tokenizer, and torch's shards where there are no
// others. What its small files say can refuse it before its weights.
func TestSecondStage(t *testing.T) {
	server := newServer(t)
	small := map[string][]byte{
		"config.json":                  []byte(`{"architectures":["Blip2ForConditionalGeneration"]}`),
		"generation_config.json":       []byte(`{"eos_token_id":50118}`),
		"vocab.json":                   []byte(`{}`),
		"merges.txt":                   []byte("#version: 0.2\n"),
		"spiece.model":                 randomBytes(3, 100),
		"tokenizer.model":              randomBytes(4, 100),
		"pytorch_model.bin.index.json": []byte(`{"weight_map":{}}`),
	}
	large := map[string][]byte{"pytorch_model-00001-of-00002.bin": randomBytes(1, 5000), "pytorch_model-00002-of-00002.bin": randomBytes(2, 5000)}
	all := map[string][]byte{"qformer_tokenizer/vocab.txt": []byte("x"), "optimizer.bin": randomBytes(5, 100)}
	maps.Copy(all, small)
	maps.Copy(all, large)
	server.putRepository(t, "Salesforce/blip2-opt-2.7b", all)

	options := testOptions(t, server.environment())
	refusal := errors.New("refused")
	options.Check = func(dir string) error {
		for name, data := range small {
			wantFile(t, filepath.Join(dir, name), data)
		}
		return refusal
	}
	if _, err := newClient(t, options).Pull(t.Context(), "blip2-opt-2.7b"); !errors.Is(err, refusal) {
		t.Errorf("error %v", err)
	}
	for _, request := range server.log() {
		if strings.Contains(request, "pytorch_model-0000") {
			t.Errorf("request %s", request)
		}
	}
	options.Check = nil
	result, err := newClient(t, options).Pull(t.Context(), "blip2-opt-2.7b")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range large {
		wantFile(t, filepath.Join(result.Dir, name), data)
	}
	if len(result.Files) != len(small)+len(large) {
		t.Errorf("%d files", len(result.Files))
	}
}

func TestShardsAndRevision(t *testing.T) {
	server := newServer(t)
	files := map[string][]byte{
		"config.json": []byte(`{}`), "model.safetensors.index.json": []byte(`{"weight_map":{}}`),
		"model-00001-of-00002.safetensors": randomBytes(1, 5000), "model-00002-of-00002.safetensors": randomBytes(2, 5000),
	}
	server.putRepository(t, "me/tuned", files)
	listing, _ := server.content("/api/models/me/tuned/revision/main")
	server.put("/api/models/me/tuned/revision/refs/pr/6", listing)
	result, err := newClient(t, testOptions(t, server.environment())).Pull(t.Context(), "me/tuned@refs/pr/6")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		wantFile(t, filepath.Join(result.Dir, name), data)
	}
	if result.Files[0].Revision != testCommit {
		t.Errorf("revision %q", result.Files[0].Revision)
	}
}

// putCache writes files into a Hugging Face cache as its client does.
func putCache(t *testing.T, cache, repository string, files map[string][]byte) {
	t.Helper()
	folder := repositoryFolder(cache, repository)
	for _, dir := range []string{"blobs", "refs", filepath.Join("snapshots", testCommit)} {
		if err := os.MkdirAll(filepath.Join(folder, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "refs", "main"), []byte(testCommit), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		blob := gitText(data)
		if len(data) > 1000 {
			blob = sha256Text(data)
		}
		if err := os.WriteFile(filepath.Join(folder, "blobs", blob), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..", "..", "blobs", blob), filepath.Join(folder, "snapshots", testCommit, name)); err != nil {
			t.Skip("no symbolic links here")
		}
	}
}

func TestHuggingFaceCacheIsUsed(t *testing.T) {
	server := newServer(t)
	repository, files := huggingFace(t, server)
	environment := server.environment()
	environment.CacheDir = t.TempDir()
	putCache(t, environment.CacheDir, repository, files)
	result, err := newClient(t, testOptions(t, environment)).Pull(t.Context(), repository)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(result.Dir, "model.safetensors"), files["model.safetensors"])
	if requests := server.log(); len(requests) != 1 || result.Downloaded != 0 {
		t.Errorf("%d bytes in requests %q", result.Downloaded, requests)
	}

	// A damaged blob is not believed.
	blob := filepath.Join(repositoryFolder(environment.CacheDir, repository), "blobs", sha256Text(files["model.safetensors"]))
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blob, randomBytes(9, len(files["model.safetensors"])), 0o644); err != nil {
		t.Fatal(err)
	}
	result, err = newClient(t, testOptions(t, environment)).Pull(t.Context(), repository)
	if err != nil || result.Downloaded != int64(len(files["model.safetensors"])) {
		t.Errorf("%d bytes, %v", result.Downloaded, err)
	}
	wantFile(t, filepath.Join(result.Dir, "model.safetensors"), files["model.safetensors"])
}

func TestOffline(t *testing.T) {
	server := newServer(t)
	repository, files := huggingFace(t, server)
	putLavis(t, server)
	environment := server.environment()
	environment.CacheDir, environment.Offline = t.TempDir(), true
	options := testOptions(t, environment)
	client := newClient(t, options)
	_, err := client.Pull(t.Context(), repository)
	if !errors.Is(err, ErrOffline) || !strings.Contains(hint.Of(err), "HF_HUB_OFFLINE") {
		t.Errorf("error %v", err)
	}
	putCache(t, environment.CacheDir, repository, files)
	result, err := client.Pull(t.Context(), repository)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(result.Dir, "model.safetensors"), files["model.safetensors"])
	if err := result.Verify(t.Context()); err != nil {
		t.Error(err)
	}

	// What was pulled before serves without the network too.
	online := *environment
	online.Offline = false
	options.Environment = &online
	if _, err := newClient(t, options).Pull(t.Context(), "blip2"); err != nil {
		t.Fatal(err)
	}
	count := len(server.log())
	if result, err := client.Pull(t.Context(), "blip2"); err != nil || len(result.Files) != 3 {
		t.Errorf("%+v, %v", result, err)
	}
	if len(server.log()) != count {
		t.Error("a request was made although HF_HUB_OFFLINE is set")
	}
	server.Close()
	if result, err := newClient(t, options).Pull(t.Context(), "blip2"); err != nil || len(result.Files) != 3 {
		t.Errorf("without a network: %+v, %v", result, err)
	}
}

func TestSpaceIsCheckedFirst(t *testing.T) {
	server := newServer(t)
	putLavis(t, server)
	client := newClient(t, testOptions(t, server.environment()))
	client.freeSpace = func(string) (int64, error) { return spareBytes + 1_000_000, nil }
	_, err := client.Pull(t.Context(), "blip2")
	if !errors.Is(err, ErrSpace) || hint.Of(err) == "" {
		t.Errorf("error %v", err)
	}
	if sent := server.sentBytes("/lavis/eva_vit_g.pth"); sent != 0 {
		t.Errorf("%d bytes were sent", sent)
	}
	client.freeSpace = func(string) (int64, error) { return spareBytes + 1_400_000, nil }
	if _, err := client.Pull(t.Context(), "blip2"); err != nil {
		t.Error(err)
	}
}

func TestTwoPullsAtOnce(t *testing.T) {
	server := newServer(t)
	_, vision, _ := putLavis(t, server)
	options := testOptions(t, server.environment())
	var pulls sync.WaitGroup
	for range 3 {
		pulls.Go(func() {
			client, err := New(options)
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			result, err := client.Pull(t.Context(), "blip2")
			if err != nil {
				t.Error(err)
				return
			}
			wantFile(t, filepath.Join(result.Dir, "eva_vit_g.pth"), vision)
		})
	}
	pulls.Wait()
	if sent := server.sentBytes("/lavis/eva_vit_g.pth"); sent != int64(len(vision)) {
		t.Errorf("%d bytes were sent of %d", sent, len(vision))
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	server := newServer(t)
	putLavis(t, server)
	options := testOptions(t, server.environment())
	waiting := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	options.Waiting = func() { close(waiting); cancel() }
	release := make(chan struct{})
	server.before = func(http.ResponseWriter, *http.Request) bool { <-release; return false }
	slow := options
	slow.Waiting, slow.StallTimeout = nil, 1<<40
	finished := make(chan error)
	go func() {
		client, err := New(slow)
		if err == nil {
			defer client.Close()
			_, err = client.Pull(t.Context(), "blip2")
		}
		finished <- err
	}()
	for len(server.log()) == 0 { // until the first holds the lock and asks
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := newClient(t, options).Pull(ctx, "blip2")
	<-waiting
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(release)
	if err := <-finished; err != nil {
		t.Error(err)
	}
}

func TestNoNetwork(t *testing.T) {
	server := newServer(t)
	environment := server.environment()
	server.Close()
	_, err := newClient(t, testOptions(t, environment)).Pull(t.Context(), "someone/something")
	if err == nil || !strings.Contains(hint.Of(err), "check the network") {
		t.Errorf("error %v, remedy %q", err, hint.Of(err))
	}
}

func TestReadResultOfNothing(t *testing.T) {
	if _, err := ReadResult(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestSmallFilesAreCheckedFirst fetches every small file, has the folder checked, and fetches no weights when the check
// refuses it.
func TestSmallFilesAreCheckedFirst(t *testing.T) {
	small := []string{"config.json", "processor_config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors.index.json"}
	const shard = "model-00001-of-00001.safetensors"
	server := newServer(t)
	files := map[string][]byte{shard: randomBytes(3, 100_000)}
	for _, name := range small {
		files[name] = []byte("{}")
	}
	server.putRepository(t, "some/model", files)
	refused := errors.New("refused")
	checks := 0
	options := testOptions(t, server.environment())
	options.Check = func(dir string) error {
		checks++
		for _, name := range small {
			if !exists(filepath.Join(dir, name)) {
				t.Errorf("%s is not there yet", name)
			}
		}
		if exists(filepath.Join(dir, shard)) {
			t.Error("the weights are there already")
		}
		return refused
	}
	if _, err := newClient(t, options).Pull(t.Context(), "some/model"); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
	if checks != 1 {
		t.Errorf("checked %d times", checks)
	}
	for _, line := range server.log() {
		if strings.Contains(line, shard) && strings.HasPrefix(line, "GET") {
			t.Errorf("weights were asked for: %s", line)
		}
	}
}
