// Package contract is what goes into a search, a lookup or a comparison, and what comes
// out of it: requests, answers, and the errors that a caller can do something about. Its
// JSON shapes and codes are a public contract.
package contract
