package nova

import dialect "github.com/dragoman-cloud/dragoman/translate/nova"

// New is the account that o describes, at a cloud that speaks OpenStack's own
// dialect. It is Open with the table of translate/nova.
func New(o Options) (*Cloud, error) { return Open(o, dialect.Table()) }
