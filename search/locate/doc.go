// Package locate says where in a picture a text is: each wanted clause of a query becomes a map of the picture, and of
// several the largest values are taken.
package locate
