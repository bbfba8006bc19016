// Package heif decodes HEIC pictures with libheif and libde265, compiled to
// WebAssembly and run in a sandbox whose memory is bounded: a hostile file can
// reach nothing else, and an endless one stops with its context.
//
// The WebAssembly module is the one that github.com/gen2brain/heic v0.4.5
// carries (libheif 1.18.2 and libde265 1.0.15, both LGPL-3.0; the licences are
// beside this file). We run it ourselves instead of calling that package,
// because it sets no bound to memory, cannot be cancelled, and loads any
// libheif that it finds on the system when the program starts.
package heif

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // module
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

//go:embed heif.wasm.gz
var module []byte

// maximumModule bounds the module when it is decompressed, in bytes.
const maximumModule = 16 << 20

// pageSize is the unit of WebAssembly memory, in bytes.
const pageSize = 1 << 16

// ErrDecode means that libheif could not make a picture of the file.
var ErrDecode = errors.New("libheif could not decode it")

// Runtime runs the decoder. It compiles it when it is first needed, which
// takes about a second and some 20 MB. It is safe for concurrent use: each
// picture has a sandbox of its own.
type Runtime struct {
	memory  int64
	mutex   sync.Mutex
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// New returns a Runtime in which one picture can take the given number of
// bytes, at most 4 GiB.
func New(memory int64) *Runtime { return &Runtime{memory: memory} }

// Close gives back the compiled decoder. Nothing may be being decoded.
func (r *Runtime) Close(ctx context.Context) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.runtime == nil {
		return nil
	}
	err := r.runtime.Close(ctx)
	r.runtime, r.code = nil, nil
	return err
}

// compiled returns the compiled decoder.
func (r *Runtime) compiled(ctx context.Context) (wazero.Runtime, wazero.CompiledModule, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.runtime != nil {
		return r.runtime, r.code, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(module))
	if err != nil {
		return nil, nil, fmt.Errorf("open the HEIC decoder: %w", err)
	}
	binary, err := io.ReadAll(io.LimitReader(reader, maximumModule))
	if err != nil {
		return nil, nil, fmt.Errorf("read the HEIC decoder: %w", err)
	}
	if binary, err = meter(binary); err != nil {
		return nil, nil, fmt.Errorf("prepare the HEIC decoder: %w", err)
	}
	pages := min(max(r.memory/pageSize, 1), 1<<16)
	engine := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithMemoryLimitPages(uint32(pages)))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, engine); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("prepare the HEIC decoder: %w", err), engine.Close(ctx))
	}
	code, err := engine.CompileModule(ctx, binary)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("compile the HEIC decoder: %w", err), engine.Close(ctx))
	}
	r.runtime, r.code = engine, code
	return engine, code, nil
}

// Decode decodes the primary picture of a file and gives it to use, as an
// *image.YCbCr, *image.Gray or *image.NRGBA that is valid only until use
// returns. It fails with ErrDecode, with what stopped the sandbox, or with the
// error of use.
func (r *Runtime) Decode(ctx context.Context, data []byte, use func(image.Image) error) error {
	engine, code, err := r.compiled(ctx)
	if err != nil {
		return err
	}
	instance, err := engine.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return fmt.Errorf("start the HEIC decoder: %w", err)
	}
	defer instance.Close(context.WithoutCancel(ctx))
	stop, ok := instance.ExportedGlobal(stopGlobal).(api.MutableGlobal)
	if !ok {
		return fmt.Errorf("start the HEIC decoder: %w", errModule)
	}
	stopped := context.AfterFunc(ctx, func() { stop.Set(1) })
	defer stopped()
	s := sandbox{instance: instance, memory: instance.Memory()}
	picture, err := s.decode(ctx, data)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return use(picture)
}

// sandbox is one instance of the decoder.
type sandbox struct {
	instance api.Module
	memory   api.Memory
}

// allocate returns the address of size bytes inside the sandbox.
func (s sandbox) allocate(ctx context.Context, size int64) (uint32, error) {
	if size < 1 || size > 1<<32-1 {
		return 0, fmt.Errorf("%w: it needs %d bytes", ErrDecode, size)
	}
	result, err := s.instance.ExportedFunction("malloc").Call(ctx, uint64(size))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	if result[0] == 0 {
		return 0, fmt.Errorf("%w: it needs more than the memory set aside", ErrDecode)
	}
	return uint32(result[0]), nil
}

// facts is what the decoder says of a picture.
type facts struct{ width, height, colourSpace, chroma, premultiplied uint32 }

const factCount = 5

// decode runs the decoder twice: for the facts, and for the pixels.
func (s sandbox) decode(ctx context.Context, data []byte) (image.Image, error) {
	input, err := s.allocate(ctx, int64(len(data)))
	if err != nil {
		return nil, err
	}
	if !s.memory.Write(input, data) {
		return nil, fmt.Errorf("%w: it does not fit in memory", ErrDecode)
	}
	at, err := s.allocate(ctx, 4*factCount)
	if err != nil {
		return nil, err
	}
	if err := s.call(ctx, input, len(data), true, at, 0); err != nil {
		return nil, err
	}
	f, err := s.facts(at)
	if err != nil {
		return nil, err
	}
	l, err := f.layout()
	if err != nil {
		return nil, err
	}
	output, err := s.allocate(ctx, l.size)
	if err != nil {
		return nil, err
	}
	if err := s.call(ctx, input, len(data), false, at, output); err != nil {
		return nil, err
	}
	if after, err := s.facts(at); err != nil || after != f {
		return nil, fmt.Errorf("%w: it changed its size while it was decoded", ErrDecode)
	}
	pixels, ok := s.memory.Read(output, uint32(l.size))
	if !ok {
		return nil, fmt.Errorf("%w: its pixels lie outside memory", ErrDecode)
	}
	return l.picture(pixels), nil
}

// call runs the module's one function.
func (s sandbox) call(ctx context.Context, input uint32, length int, factsOnly bool, at, output uint32) error {
	only := uint64(0)
	if factsOnly {
		only = 1
	}
	parameters := []uint64{uint64(input), uint64(length), only}
	for i := range uint32(factCount) {
		parameters = append(parameters, uint64(at+4*i))
	}
	result, err := s.instance.ExportedFunction("decode").Call(ctx, append(parameters, uint64(output))...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDecode, err)
	}
	if result[0] == 0 {
		return ErrDecode
	}
	return nil
}

// facts reads what the decoder wrote at an address.
func (s sandbox) facts(at uint32) (facts, error) {
	var values [factCount]uint32
	for i := range values {
		value, ok := s.memory.ReadUint32Le(at + 4*uint32(i))
		if !ok {
			return facts{}, fmt.Errorf("%w: its size lies outside memory", ErrDecode)
		}
		values[i] = value
	}
	return facts{values[0], values[1], values[2], values[3], values[4]}, nil
}
