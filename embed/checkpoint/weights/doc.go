// Package weights reads the files in which weights are published: safetensors, and
// what torch.save writes. It gives their tensors as they lie there, without reading
// values, and reads one tensor's values when asked.
//
//	safetensors.go                         a JSON header, then the bytes
//	torch.go, pickletorch.go, pickle.go    a zip file, or the earlier format, around a pickle
//	tensor.go                              F32, F16, BF16 and F64, strided or not, as float32
//
// Files are hostile input: every length is checked against the file before memory is
// asked for, and pickles are read by a small interpreter that knows a fixed list of
// opcodes and executes nothing.
package weights
