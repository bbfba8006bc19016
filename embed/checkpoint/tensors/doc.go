// Package tensors says which tensors a model of a configuration has: their names, as current Hugging Face files have
// them, and their shapes; and what the same tensors are called in every other sort of file.
package tensors
