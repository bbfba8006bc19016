// Package sandbox runs image decoders that were compiled to WebAssembly. Each
// picture has an instance of its own, whose memory and time are bounded: a
// hostile file can reach nothing else, and an endless one stops.
//
//	module (gzip) --> metered --> compiled once --> an instance for each picture
package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// ErrDecode means that a decoder could not make a picture of a file.
var ErrDecode = errors.New("its decoder cannot read it")

// ErrMemory means that a picture needs more memory than it was given.
var ErrMemory = errors.New("it needs more memory than a picture of its size can")

// ErrTime means that a picture took longer than it was given.
var ErrTime = errors.New("it takes longer than a picture of its size can")

// Module is a decoder.
type Module struct {
	// Name says what it is in an error, such as "the HEIC decoder". No two
	// modules of a Runtime have the same.
	Name string
	// Compressed is its WebAssembly, compressed with gzip.
	Compressed []byte
}

// Runtime runs decoders. It compiles each when it is first needed, which takes
// about a second. It is safe for concurrent use. Close it to give back what
// was compiled.
type Runtime struct {
	mutex  sync.Mutex
	engine wazero.Runtime
	codes  map[string]*code
}

// code is a module, compiled when it is first asked for.
type code struct {
	mutex    sync.Mutex
	compiled wazero.CompiledModule
}

// New returns a Runtime that has compiled nothing yet.
func New() *Runtime { return &Runtime{} }

// Close gives back the compiled decoders. No decoder may be running.
func (r *Runtime) Close(ctx context.Context) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.engine == nil {
		return nil
	}
	err := r.engine.Close(ctx)
	r.engine, r.codes = nil, nil
	return err
}

// started returns the engine and the place of a module's code.
func (r *Runtime) started(ctx context.Context, name string) (wazero.Runtime, *code, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.engine == nil {
		engine := wazero.NewRuntime(ctx)
		if _, err := wasi_snapshot_preview1.Instantiate(ctx, engine); err != nil {
			return nil, nil, errors.Join(err, engine.Close(ctx))
		}
		r.engine, r.codes = engine, map[string]*code{}
	}
	if r.codes[name] == nil {
		r.codes[name] = &code{}
	}
	return r.engine, r.codes[name], nil
}

// compile returns the compiled module.
func (c *code) compile(ctx context.Context, engine wazero.Runtime, m Module) (wazero.CompiledModule, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.compiled != nil {
		return c.compiled, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(m.Compressed))
	if err != nil {
		return nil, err
	}
	binary, err := io.ReadAll(io.LimitReader(reader, maximumModule))
	if err != nil {
		return nil, err
	}
	if binary, err = meter(binary); err != nil {
		return nil, err
	}
	c.compiled, err = engine.CompileModule(ctx, binary)
	return c.compiled, err
}

// Run gives an instance of the module to use, and ends it when use returns.
// It fails with what kept the module from starting, with the error of use, or
// with the context's error when that is done: then the instance stops at the
// next break of its loops.
func (r *Runtime) Run(ctx context.Context, m Module, limits Limits, use func(*Instance) error) (err error) {
	engine, code, err := r.started(ctx, m.Name)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", m.Name, err)
	}
	compiled, err := code.compile(ctx, engine, m)
	if err != nil {
		return fmt.Errorf("compile %s: %w", m.Name, err)
	}
	limit := limits.Memory
	for _, exported := range compiled.ExportedMemories() {
		limit = max(limit, int64(exported.Min())*pageSize)
	}
	reserved, err := newMemory(limit)
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	defer func() { err = errors.Join(err, reserved.release()) }()
	i := &Instance{memory: reserved}
	i.module, err = engine.InstantiateModule(experimental.WithMemoryAllocator(ctx, reserved), compiled,
		wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	defer i.module.Close(context.WithoutCancel(ctx))
	breaks, counts := i.module.ExportedGlobal(breaksGlobal).(api.MutableGlobal)
	stop, stops := i.module.ExportedGlobal(stopGlobal).(api.MutableGlobal)
	if !counts || !stops {
		return fmt.Errorf("start %s: %w", m.Name, errModule)
	}
	i.breaks = breaks
	breaks.Set(api.EncodeI32(limits.Breaks))
	stopped := context.AfterFunc(ctx, func() { stop.Set(1) })
	defer stopped()
	err = use(i)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Instance is a running decoder of one picture.
type Instance struct {
	module api.Module
	memory *memory
	breaks api.Global
}

// Allocate returns the address of size bytes inside the instance.
func (i *Instance) Allocate(ctx context.Context, size int64) (uint32, error) {
	if size < 1 {
		return 0, fmt.Errorf("%w: it is empty", ErrDecode)
	}
	if size > 1<<32-1 {
		return 0, fmt.Errorf("%w: %d bytes", ErrMemory, size)
	}
	address, err := i.Call(ctx, "malloc", uint64(size))
	if err == nil && address == 0 {
		err = ErrMemory
	}
	return address, err
}

// Call calls an exported function with 32-bit parameters and returns its result,
// or 0 where it has none.
func (i *Instance) Call(ctx context.Context, function string, parameters ...uint64) (uint32, error) {
	result, err := i.module.ExportedFunction(function).Call(ctx, parameters...)
	switch {
	case err != nil && api.DecodeI32(i.breaks.Get()) < 0:
		return 0, ErrTime
	case err != nil:
		reason, _, _ := strings.Cut(err.Error(), "\n") // the stack follows
		return 0, fmt.Errorf("%w: %s", i.Failed(), reason)
	case len(result) == 0:
		return 0, nil
	}
	return api.DecodeU32(result[0]), nil
}

// Failed returns the error of a call that says that it failed.
func (i *Instance) Failed() error {
	if i.memory.refused {
		return ErrMemory
	}
	return ErrDecode
}

// Put copies data into the instance and returns its address.
func (i *Instance) Put(ctx context.Context, data []byte) (uint32, error) {
	address, err := i.Allocate(ctx, int64(len(data)))
	if err == nil && !i.module.Memory().Write(address, data) {
		err = fmt.Errorf("%w: there is no place for the file", ErrDecode)
	}
	return address, err
}

// PutWithFacts copies data into the instance and makes room for size bytes beside it,
// in which the module is to write what it finds.
func (i *Instance) PutWithFacts(ctx context.Context, data []byte, size int64) (input, facts uint32, err error) {
	if input, err = i.Put(ctx, data); err != nil {
		return 0, 0, err
	}
	facts, err = i.Allocate(ctx, size)
	return input, facts, err
}

// Numbers reads 32-bit numbers that stand one after the other.
func (i *Instance) Numbers(address uint32, numbers []uint32) error {
	for at := range numbers {
		value, ok := i.module.Memory().ReadUint32Le(address + 4*uint32(at))
		if !ok {
			return fmt.Errorf("%w: its facts lie outside memory", ErrDecode)
		}
		numbers[at] = value
	}
	return nil
}

// Bytes returns size bytes of the instance's memory, which are valid until the
// next call.
func (i *Instance) Bytes(address uint32, size int64) ([]byte, error) {
	if size < 0 || size > 1<<32-1 {
		return nil, fmt.Errorf("%w: its pixels lie outside memory", ErrDecode)
	}
	pixels, ok := i.module.Memory().Read(address, uint32(size))
	if !ok {
		return nil, fmt.Errorf("%w: its pixels lie outside memory", ErrDecode)
	}
	return pixels, nil
}

// Unchanged is the error of the run that gave the pixels, or [ErrDecode] when that run says something else of the picture
// than the one before.
func Unchanged[F comparable](before, after F, err error) error {
	if err == nil && before != after {
		err = fmt.Errorf("%w: it changed its size while it was decoded", ErrDecode)
	}
	return err
}
