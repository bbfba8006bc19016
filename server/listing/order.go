package listing

import "mekiki/index"

// OrderOf is the order of a name that the API document lists; newest first otherwise.
func OrderOf(name string) index.Order {
	switch name {
	case "date_ascending":
		return index.OrderDateAscending
	case "added_descending":
		return index.OrderNewest
	case "added_ascending":
		return index.OrderAdded
	}
	return index.OrderDateDescending
}
