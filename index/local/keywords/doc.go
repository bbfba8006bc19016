// Package keywords keeps the keyword index at the newest commit of a catalog, and gives
// readers of it that show one commit for as long as somebody holds them.
package keywords
