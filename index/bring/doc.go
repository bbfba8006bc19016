// Package bring takes what people gave their pictures in other programs over into a library: tags, albums, people, ratings,
// favourites, titles, descriptions and dates. The packages below it read the programs.
//
//	takeout, photoprism, digikam, lightroom, immich ─► items ─► matched with records ─► changes ─► library, or its server
//	                                                                                   └► journal, by which they are undone
//
// What people gave in Mekiki wins, and what a record says already is not given again.
package bring
