// Package runner opens a compiled model of either stage and runs its graphs: a [Model] verifies the folder's files against
// the manifest, opens each [Graph] when it is first needed, and decides how many runs go on side by side, on how many
// threads, and in whose turn. What is made of the graphs' numbers is the engines': see packages embed and answering.
package runner
