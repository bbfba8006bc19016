package ort

// ReadModel is what Inspect does with a file's contents.
var ReadModel = readModel
