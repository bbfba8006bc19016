// Package columns answers which records of a state pass a filter, in what order, and how
// many have which value. It keeps what filters ask of records side by side in memory, a
// page of 256 records at a time, so that a million are looked through without looking
// for each:
//
//	page   kind  date        format  camera     folder  rating  flags
//	0      1     2024-05-31  jpeg    Canon R5   /a      4       tags, place
//	1      1     2024-06-01  jpeg    Canon R5   /a      -       people
//
// A page's columns are made when first asked for, and shared by all states that have the
// page. They buy 3 ms instead of 14 for a filter over 100,000 records.
package columns
