// Package form is the form of a library on a cluster in its object store: the keys of its
// objects, its state and its records.
//
//	library.json            [State]: spaces, collections; changes by compare and swap
//	records/…/ID.json       [Record]; changes by compare and swap
//	contents/…/HASH         [Claim]: which record has a content; by compare and swap
//	vectors/MODEL/…/HASH-SUM, tokens/MODEL/…/HASH-SUM, thumbnails/…/HASH
//	kept/HASH-PATH, failures/…/PATH, searches/NAME
//	sequence                the number of the last change
package form
