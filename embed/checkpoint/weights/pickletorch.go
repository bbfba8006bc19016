package weights

import (
	"errors"
	"fmt"
	"strings"

	"mekiki/internal/hint"
)

// storageTypes maps torch's storage classes to element types.
var storageTypes = map[string]dataType{
	"DoubleStorage": float64Type, "FloatStorage": float32Type, "HalfStorage": float16Type, "BFloat16Storage": bfloat16Type,
	"LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
	"BoolStorage": "BOOL", "ComplexFloatStorage": "C64",
}

// harmlessClasses are those whose objects are found beside the weights, in the state of an optimiser or in the settings of
// a training run. Their objects are passed over; nothing of theirs is run.
var harmlessClasses = map[string]bool{
	"argparse.Namespace": true, "collections.defaultdict": true, "collections.Counter": true, "collections.deque": true,
	"torch.device": true, "torch.Generator": true, "typing.Any": true, "_codecs.encode": true,
	"numpy.core.multiarray.scalar": true, "numpy.core.multiarray._reconstruct": true, "numpy.dtype": true, "numpy.ndarray": true,
	"numpy._core.multiarray.scalar": true, "numpy._core.multiarray._reconstruct": true, "numpy.float64": true,
	"datetime.datetime": true, "datetime.timedelta": true, "pathlib.PosixPath": true, "pathlib.WindowsPath": true,
}

// harmlessBuiltins are the classes of builtins (__builtin__ in Python 2's spelling, which torch.save keeps).
var harmlessBuiltins = map[string]bool{
	"set": true, "frozenset": true, "complex": true, "slice": true, "bytearray": true, "object": true, "list": true,
	"dict": true, "tuple": true, "int": true, "float": true, "str": true, "bool": true, "bytes": true, "long": true, "unicode": true,
}

// kind sorts a global into what is done with a call of it.
func (g pickleGlobal) kind() string {
	full := g.module + "." + g.name
	switch full {
	case "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor",
		"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.Size":
		return full
	}
	_, isStorage := storageTypes[g.name]
	switch {
	case g.module == "torch" && isStorage:
		return "storage"
	case harmlessClasses[full],
		(g.module == "builtins" || g.module == "__builtin__") && harmlessBuiltins[g.name],
		g.module == "omegaconf" || strings.HasPrefix(g.module, "omegaconf."),
		g.module == "torch" && torchDataTypes[g.name]:
		return "harmless"
	}
	return ""
}

// torchDataTypes are torch's own names of element types, which settings may mention.
var torchDataTypes = map[string]bool{
	"float16": true, "float32": true, "float64": true, "bfloat16": true, "int8": true, "int16": true, "int32": true,
	"int64": true, "uint8": true, "bool": true, "contiguous_format": true, "preserve_format": true, "strided": true,
}

// global handles GLOBAL and STACK_GLOBAL. A name that is not on the list is refused at once.
func (m *pickleMachine) global(opcode byte) error {
	var named pickleGlobal
	if opcode == 'c' {
		var err error
		if named.module, err = m.line(); err != nil {
			return err
		}
		if named.name, err = m.line(); err != nil {
			return err
		}
	} else {
		name, err := m.pop()
		if err != nil {
			return err
		}
		module, err := m.pop()
		if err != nil {
			return err
		}
		var isModule, isName bool
		named.module, isModule = module.(string)
		named.name, isName = name.(string)
		if !isModule || !isName {
			return errors.New("the name of a class is not text")
		}
	}
	if named.kind() == "" {
		return hint.Wrap(fmt.Errorf("the file asks for %.80q, which no checkpoint needs; nothing was run",
			named.module+"."+named.name), "do not trust this file; get the published one")
	}
	return m.push(named)
}

// call handles REDUCE and NEWOBJ: the few constructors that torch.save writes.
func (m *pickleMachine) call() error {
	last, err := m.pop()
	if err != nil {
		return err
	}
	callable, err := m.pop()
	if err != nil {
		return err
	}
	arguments, isTuple := last.(pickleTuple)
	named, isGlobal := callable.(pickleGlobal)
	if !isTuple || !isGlobal {
		return errors.New("a call of something that is not a class")
	}
	var value any
	switch named.kind() {
	case "collections.OrderedDict":
		value, err = orderedDict(arguments)
	case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor":
		value, err = rebuildTensor(arguments)
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
		if len(arguments) == 0 {
			return errors.New("a parameter without a tensor")
		}
		value = arguments[0]
	case "torch.Size":
		if len(arguments) != 1 {
			return errors.New("a size without axes")
		}
		value = arguments[0]
	case "harmless":
		value = pickleOpaque{}
	default:
		return fmt.Errorf("a call of %s.%s", named.module, named.name)
	}
	if err != nil {
		return err
	}
	return m.push(value)
}

// orderedDict builds a dictionary from an optional list of pairs.
func orderedDict(arguments pickleTuple) (any, error) {
	dict := &pickleDict{}
	if len(arguments) == 0 {
		return dict, nil
	}
	pairs, ok := arguments[0].(*pickleList)
	if !ok {
		return nil, errors.New("an OrderedDict of something that is not a list")
	}
	for _, item := range pairs.items {
		switch pair := item.(type) {
		case pickleTuple:
			if len(pair) == 2 {
				dict.set(pair[0], pair[1])
				continue
			}
		case *pickleList:
			if len(pair.items) == 2 {
				dict.set(pair.items[0], pair.items[1])
				continue
			}
		}
		return nil, errors.New("an OrderedDict of something that is not pairs")
	}
	return dict, nil
}

// persistent handles BINPERSID: a tuple ("storage", class, key, location, elements).
func (m *pickleMachine) persistent() error {
	value, err := m.pop()
	if err != nil {
		return err
	}
	storage, err := storageOf(value)
	if err != nil {
		return err
	}
	return m.push(storage)
}

func storageOf(value any) (*pickleStorage, error) {
	parts, ok := value.(pickleTuple)
	if !ok || len(parts) < 5 || parts[0] != "storage" {
		return nil, errors.New("a persistent id that is not a storage")
	}
	class, isGlobal := parts[1].(pickleGlobal)
	key, isText := parts[2].(string)
	count, isNumber := parts[4].(int64)
	if len(parts) > 5 && parts[5] != nil {
		return nil, errors.New("a storage that is part of another; save the checkpoint again with a current torch.save")
	}
	if !isGlobal || class.kind() != "storage" || !isText || !isNumber || count < 0 {
		return nil, errors.New("a storage that is malformed")
	}
	return &pickleStorage{dataType: storageTypes[class.name], key: key, elements: count}, nil
}

// rebuildTensor checks a view against the size that its storage claims; the claim is checked against the file later.
func rebuildTensor(arguments pickleTuple) (any, error) {
	if len(arguments) < 4 {
		return nil, errors.New("a tensor with too few arguments")
	}
	storage, isStorage := arguments[0].(*pickleStorage)
	offset, isNumber := arguments[1].(int64)
	shape, isShape := integers(arguments[2])
	strides, isStrides := integers(arguments[3])
	if !isStorage || !isNumber || !isShape || !isStrides || len(shape) != len(strides) || len(shape) > maximumDimensions {
		return nil, errors.New("a tensor that is malformed")
	}
	if !fits(offset, shape, strides, storage.elements) {
		return nil, fmt.Errorf("a tensor of shape %v, strides %v and offset %d outside its storage of %d elements",
			shape, strides, offset, storage.elements)
	}
	return &pickleTensor{storage: storage, offset: offset, shape: shape, strides: strides}, nil
}

// integers returns a tuple or list of numbers that are not negative.
func integers(value any) ([]int64, bool) {
	var items []any
	switch value := value.(type) {
	case pickleTuple:
		items = value
	case *pickleList:
		items = value.items
	default:
		return nil, false
	}
	if len(items) > maximumDimensions {
		return nil, false
	}
	numbers := make([]int64, len(items))
	for i, item := range items {
		number, ok := item.(int64)
		if !ok || number < 0 {
			return nil, false
		}
		numbers[i] = number
	}
	return numbers, true
}

// fits reports whether every element of a view lies in a storage of the given size, and whether the view has no more
// elements than the storage, so that no small file can ask for a large amount of memory.
func fits(offset int64, shape, strides []int64, size int64) bool {
	count, last := int64(1), offset
	for axis, length := range shape {
		if length == 0 {
			return offset >= 0 && offset <= size
		}
		if count > size/length {
			return false
		}
		count *= length
		if length == 1 {
			continue
		}
		if strides[axis] > size/(length-1) {
			return false
		}
		last += (length - 1) * strides[axis]
	}
	return offset >= 0 && last >= offset && last < size
}
