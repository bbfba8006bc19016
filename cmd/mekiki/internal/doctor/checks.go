package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/models"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/local/writerlock"
	"mekiki/index/vector"
	"mekiki/internal/diskspace"
	"mekiki/internal/folders"
	"mekiki/internal/processor"
	"mekiki/internal/progress"
)

// Room on a disk below which a check warns or fails.
const (
	roomToWarn = 1 << 30
	roomToFail = 64 << 20
)

func (d *doctor) checkProgram() {
	cgo := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "CGO_ENABLED" {
				cgo = setting.Value
			}
		}
	}
	if cgo != "0" {
		d.ok("program", "mekiki %s, %s, %s/%s, with cgo", cli.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return
	}
	remedy := "build it again with CGO_ENABLED=1, or use a released binary"
	if !slices.ContainsFunc([]string{"cc", "gcc", "clang"}, func(name string) bool { _, err := exec.LookPath(name); return err == nil }) {
		remedy = "install a C compiler (Debian: apt install gcc; macOS: xcode-select --install; Windows: MinGW-w64), then " + remedy
	}
	d.fail("program", fmt.Errorf("mekiki %s was built without cgo and cannot run models", cli.Version()), remedy)
}

func (d *doctor) checkProcessor() {
	name, features := processor.Name(), processor.Features()
	if name == "" {
		name = runtime.GOARCH
	}
	detail := fmt.Sprintf("%s, %d usable, %s", name, runtime.GOMAXPROCS(0), strings.Join(features, " "))
	if len(features) > 0 && !processor.HasDotProduct(features) {
		d.warn("processor", `"mekiki bench --model builtin" shows whether int8 is faster; if not, set --precision fp32`,
			"%s: no integer dot product, so int8 is hardly faster than fp32 and may be less exact", detail)
		return
	}
	d.ok("processor", "%s", strings.TrimSuffix(detail, ", "))
}

// checkConfiguration only names the file: one that cannot be used stops every verb.
func (d *doctor) checkConfiguration() {
	path, err := folders.Config()
	if err != nil {
		d.fail("settings", err, "")
		return
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		d.ok("settings", "none (there is no %s)", path)
		return
	}
	d.ok("settings", "%s", path)
}

func (d *doctor) checkCache() {
	folder, err := d.app.CacheFolder()
	if err == nil {
		err = writable(folder)
	}
	if err != nil {
		d.fail("cache", err, "choose a folder that you may write to with --cache or MEKIKI_CACHE")
		return
	}
	d.checkRoom("cache", folder, "")
}

// writable makes the folder if need be and writes to it.
func writable(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = file.WriteString("x")
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// checkRoom judges the free space of a folder's disk.
func (d *doctor) checkRoom(check, folder, more string) {
	free, err := diskspace.Free(folder)
	switch {
	case err != nil:
		d.warn(check, "", "%s%s; %v", folder, more, err)
	case free < roomToFail:
		d.fail(check, fmt.Errorf("%s: the disk is full, %s are free", folder, progress.Count(free, progress.Bytes)), "free some space, or choose another disk")
	case free < roomToWarn:
		d.warn(check, "free some space, or choose another disk", "%s%s, only %s free", folder, more, progress.Count(free, progress.Bytes))
	case free == math.MaxInt64:
		d.ok(check, "%s%s", folder, more)
	default:
		d.ok(check, "%s%s, %s free", folder, more, progress.Count(free, progress.Bytes))
	}
}

// checkRuntime loads ONNX Runtime. The caller closes it.
func (d *doctor) checkRuntime(ctx context.Context) (*ort.Runtime, error) {
	const remedy = "mekiki doctor --install"
	options, err := d.app.RuntimeOptions()
	if err != nil {
		d.fail("runtime", err, "")
		return nil, err
	}
	var library *ort.Runtime
	if d.install {
		library, err = d.app.OpenRuntime(ctx)
	} else {
		library, err = ort.Open(ctx, options)
	}
	if errors.Is(err, ort.ErrNotInstalled) && !d.install && d.app.Runtime == "" && os.Getenv(ort.LibraryVariable) == "" {
		d.add("runtime", VerdictFailed, remedy, "ONNX Runtime is not installed; the first verb that needs it will install it")
		return nil, err
	}
	if err != nil {
		d.fail("runtime", err, remedy)
		return nil, err
	}
	if library.Source() == "cache" {
		if _, err := ort.Verify(options); err != nil {
			d.fail("runtime", err, "remove "+filepath.Dir(library.LibraryPath())+", then "+remedy)
			return nil, errors.Join(err, library.Close())
		}
	}
	d.ok("runtime", "ONNX Runtime %s, %s (%s)", library.Version(), library.LibraryPath(), library.Source())
	return library, nil
}

// checkModel opens the model and runs it once. The caller closes the session.
func (d *doctor) checkModel(ctx context.Context, library *ort.Runtime) *cli.Session {
	if d.app.Model == models.BuiltinName {
		if _, err := d.builtinCompiled(ctx); err != nil {
			d.ok("model", "built-in, not compiled yet; the first use compiles it in some seconds")
			return nil
		}
	}
	engine, err := d.app.OpenEngineWith(ctx, library)
	if err != nil {
		d.fail("model", err, "mekiki models lists the models on this machine; mekiki pull gets published ones")
		return nil
	}
	manifest := engine.Manifest()
	if err := manifest.Verify(ctx, engine.ModelDir()); err != nil {
		d.fail("model", fmt.Errorf("%s: %w", engine.Name, err), "compile it again: mekiki models remove "+engine.Name+", then import or pull")
		return engine
	}
	took, err := tryOut(ctx, engine)
	if err != nil {
		d.fail("model", fmt.Errorf("%s does not run: %w", engine.Name, err), "")
		return engine
	}
	detail := fmt.Sprintf("%s, %s, every file as compiled, an image in %s", engine.Name, manifest.Precision, took)
	if check := manifest.SelfCheck; check != nil && len(check.Instructions) > 0 && !slices.Equal(check.Instructions, processor.Features()) {
		d.warn("model", "compile it again for this processor: remove the model, then import or pull it",
			"%s; it was compiled on another processor (%s)", detail, strings.Join(check.Instructions, " "))
		return engine
	}
	if warnings := manifest.Warnings(); len(warnings) > 0 {
		d.warn("model", cli.FloatAdvice, "%s; %s", detail, strings.Join(warnings, "; "))
		return engine
	}
	d.ok("model", "%s", detail)
	return engine
}

// builtinCompiled finds the compiled built-in model without compiling it.
func (d *doctor) builtinCompiled(ctx context.Context) (models.Model, error) {
	options, err := d.app.ModelOptions(nil, progress.New(io.Discard, progress.Quiet))
	if err != nil {
		return models.Model{}, err
	}
	return models.BuiltinCompiled(ctx, options)
}

// tryOut computes the vectors of one image and one text and says how long the
// image took.
func tryOut(ctx context.Context, s *cli.Session) (time.Duration, error) {
	if err := s.Warm(ctx); err != nil {
		return 0, err
	}
	size := s.Manifest().Config.Vision.ImageSize
	picture, err := pixels.New(size, size)
	if err != nil {
		return 0, err
	}
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * 7)
	}
	started := time.Now()
	tokens, err := s.ImageTokens(ctx, []*pixels.Image{picture})
	if err != nil {
		return 0, err
	}
	parts, err := s.ImageParts(ctx, tokens)
	if err != nil {
		return 0, err
	}
	took := time.Since(started).Round(time.Millisecond)
	vectors, err := s.TextVectors(ctx, []string{"a picture"})
	if err != nil {
		return 0, err
	}
	if score, _ := parts[0].Similarity(vectors[0]); !(score >= -1.001 && score <= 1.001) {
		return 0, fmt.Errorf("an image and a text have similarity %g, which is not a cosine", score)
	}
	return took, nil
}

// checkLibrary opens the library for reading. engine may be nil.
func (d *doctor) checkLibrary(ctx context.Context, engine *cli.Session) {
	folder, err := d.app.LibraryFolder()
	if err != nil {
		d.fail("library", err, "choose a folder with --library")
		return
	}
	library, err := local.Open(ctx, folder, local.Options{ReadOnly: true, Logger: d.app.Log(), Method: vector.Method(d.app.Ann)})
	if errors.Is(err, index.ErrNotLibrary) || errors.Is(err, fs.ErrNotExist) {
		d.ok("library", "none yet at %s; mekiki index FOLDER makes one", folder)
		return
	}
	if err != nil {
		d.fail("library", err, "mekiki check --repair")
		return
	}
	defer library.Close()
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if findings := library.Findings(); len(findings) > 0 {
		d.warn("library", "mekiki check shows the damage, mekiki check --repair repairs what it can", "%s has %s; the rest works", folder, cli.Counted(len(findings), "finding", "findings"))
	}
	if engine != nil {
		if err := cli.Fits(ctx, library, engine); err != nil {
			d.fail("library", err, "name the library's model with --model, or fill the library with this one: mekiki spaces fill")
		}
	}
	d.checkRoom("library", folder, fmt.Sprintf(", %s, %s%s%s", cli.Counted(snapshot.Count(index.KindImage), "image", "images"), cli.Counted(snapshot.Count(index.KindText), "text", "texts"), annOf(library, snapshot), writerOf(folder)))
}

// annOf says by what the images nearest to a text are found.
func annOf(library *local.Library, snapshot *local.Snapshot) string {
	for _, space := range snapshot.Spaces() {
		if space.Role() == "serving" {
			return fmt.Sprintf(", searched by %s", library.MethodOf(space.Space, index.KindImage, snapshot.Count(index.KindImage)))
		}
	}
	return ""
}

// writerOf says who writes to a library.
func writerOf(folder string) string {
	holder, known := writerlock.ReadHolder(folder)
	if !known {
		return ""
	}
	return fmt.Sprintf(", last opened for writing by %s, process %d on %s, at %s", holder.Program, holder.PID, holder.Host, holder.Since.Local().Format(time.DateTime))
}

// checkBrowser looks for what "mekiki demo" and "mekiki search --open" open files with.
func (d *doctor) checkBrowser() {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		d.ok("browser", "the system's own")
		return
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		d.ok("browser", "no screen here; open the page's address in a browser yourself")
		return
	}
	path, err := exec.LookPath("xdg-open")
	if err != nil {
		d.warn("browser", "install xdg-utils, or open the address yourself", "xdg-open is missing, so the page does not open by itself")
		return
	}
	d.ok("browser", "%s", path)
}

// checkServer asks a server whether it can answer searches.
func (d *doctor) checkServer(ctx context.Context, address string) {
	const remedy = "start it with mekiki serve, or correct the address"
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		d.fail("server", fmt.Errorf("--server %q is not an address such as http://127.0.0.1:8080", address), "correct the address")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("readyz").String(), nil)
	if err != nil {
		d.fail("server", err, remedy)
		return
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		d.fail("server", err, remedy)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		d.ok("server", "%s answers searches", address)
		return
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	d.fail("server", fmt.Errorf("%s is not ready: %s: %s", address, answer.Status, strings.TrimSpace(string(text))), "read the server's log; run mekiki doctor on its machine")
}
