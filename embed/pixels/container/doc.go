// Package container reads what image files say of themselves before anything is
// decoded: how large the picture is, how it is turned, what decoding it takes and how
// few bytes can hold it. Its parsers ask for no memory that depends on what a file says.
//
// Each function of a format takes files that begin as those of the format do, which is
// for the caller to see to.
package container
