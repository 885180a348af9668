package facade

import "reflect"

// nextCursor is the cursor of a page of any kind; "" at the end.
func nextCursor(page any) string {
	v := reflect.ValueOf(page)
	if v.Kind() != reflect.Struct {
		return ""
	}
	f := v.FieldByName("NextCursor")
	if !f.IsValid() {
		return ""
	}
	return f.String()
}

// withCursor is the request of a list, going on at cursor.
func withCursor(req any, cursor string) any {
	v := reflect.New(reflect.TypeOf(req)).Elem()
	v.Set(reflect.ValueOf(req))
	if f := v.FieldByName("Cursor"); f.IsValid() {
		f.SetString(cursor)
	}
	return v.Interface()
}
