package onnx

// maximumModelBytes is the size that a protobuf message has to stay below.
const maximumModelBytes = 1 << 31
